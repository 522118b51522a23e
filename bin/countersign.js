#!/usr/bin/env node
// Plain JavaScript that every supported Node can read: the command line itself is TypeScript, which runs as it is
// from Node 24 on. An older Node starts this file again under the Node that the package `node` brings along.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

const LEAST_MAJOR = 24;
const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP"];

if (Number(process.versions.node.split(".")[0]) >= LEAST_MAJOR) await runHere();
else runUnder(bundledNode());

/** Runs the command line in this process: importing it is what starts it. */
async function runHere() {
  keepCompiledCode();
  silenceTypeStripping();
  endWithLauncher();
  await import("../cli/main.ts");
}

/** Starts this file again under `node`, as if it had been called: same streams, signals and exit code. */
function runUnder(node) {
  // the channel carries nothing: it closes when this process dies, however it dies
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // Ctrl-C reaches the whole foreground group: passed on as well, it would count as pressed twice
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => stop(`countersign: ${node} does not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** The path of the Node that `npm ci` installed, also where its install script was not allowed to link it. */
function bundledNode() {
  const require = createRequire(import.meta.url);
  const platform = process.platform === "win32" ? "win" : process.platform;
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const packages = ["node", `${prefix}-${platform}-${process.arch}`];
  const places = [require, nestedRequire(require)];
  for (const name of packages) {
    for (const place of places) {
      const binary = binaryOf(name, place);
      if (binary) return binary;
    }
  }
  return stop(
    `countersign needs Node ${LEAST_MAJOR} or later; this is ${process.versions.node}, and the one that comes with the ` +
      "project is not installed.\nIn the project's folder run: npm rebuild node && npm run prepare",
  );
}

/** Looks from inside the package `node`, below which its install script puts the platform's package. */
function nestedRequire(require) {
  try {
    return createRequire(require.resolve("node/package.json"));
  } catch {
    return require;
  }
}

function binaryOf(name, require) {
  try {
    const manifest = require.resolve(`${name}/package.json`);
    const binary = join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.node);
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Compiled code is kept in the user's cache folder, which takes a third off each later start. */
function keepCompiledCode() {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME } = process.env;
  if (NODE_COMPILE_CACHE) return; // Node has it already
  try {
    const base = XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache");
    module.enableCompileCache(join(base, "countersign", "compiled"));
  } catch {
    // no home: start without, as Node itself does where the folder cannot be written
  }
}

/** The first versions of Node 24 print that stripping types is experimental; all other warnings stay. */
function silenceTypeStripping() {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith("Type Stripping is an experimental feature")) {
      emitWarning(warning, ...rest);
    }
  };
}

/** Under a launcher that was killed, drain and end as on SIGTERM instead of staying behind. */
function endWithLauncher() {
  if (!process.channel) return;
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
