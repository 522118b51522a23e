import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("countersign.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "countersign-bin-"));
after(() => rmSync(scratch, { recursive: true }));

/** The launcher alone with a command line of a few lines, which tells what it was given. */
before(() => {
  for (const folder of ["bin", "cli", "cache"]) mkdirSync(join(scratch, folder));
  cpSync(launcher, join(scratch, "bin/countersign.js"));
  writeFileSync(join(scratch, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(scratch, "cli/main.ts"),
    `const [verb, ...rest]: string[] = process.argv.slice(2);
     if (verb === "tell") console.log(JSON.stringify({ node: process.versions.node, rest, pid: process.pid }));
     if (verb === "exit") process.exit(Number(rest[0]));
     if (verb === "wait") {
       process.on("SIGTERM", () => { console.log("drained"); process.exit(7); });
       setInterval(() => {}, 60_000);
       console.log(process.pid);
     }
     if (verb === "die") process.kill(process.pid, "SIGKILL");`,
  );
});

/** A Node older than 24, where the machine has one: the launcher's other half needs it. */
function olderNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  return folders
    .map((folder) => join(folder, "node"))
    .find((file) => {
      if (!existsSync(file)) return false;
      const [major = 0, minor = 0] = execFileSync(file, ["-p", "process.versions.node"], { encoding: "utf8" })
        .split(".")
        .map(Number);
      return major < 24 && (major > 20 || minor >= 19);
    });
}

const nodes = { "Node 24": process.execPath, "an older Node": olderNode() };
const bundled = fileURLToPath(new URL("../node_modules/node", import.meta.url));

function launch(node: string, args: string[], folder = scratch): ChildProcess {
  const env = { ...process.env, XDG_CACHE_HOME: join(scratch, "cache"), NODE_COMPILE_CACHE: "" };
  return spawn(node, [join(folder, "bin/countersign.js"), ...args], { stdio: ["ignore", "pipe", "pipe"], env });
}

async function outcome(child: ChildProcess) {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += chunk));
  child.stderr?.on("data", (chunk) => (err += chunk));
  const [code, signal] = await once(child, "close");
  return { code, signal, out, err };
}

function withRuntime(): void {
  mkdirSync(join(scratch, "node_modules"), { recursive: true });
  if (!existsSync(join(scratch, "node_modules/node"))) symlinkSync(bundled, join(scratch, "node_modules/node"));
}

for (const [name, node] of Object.entries(nodes)) {
  const options = { skip: node === undefined && "this machine has no Node older than 24" };
  test(
    `under ${name}: the command line runs on Node 24 or later, with its arguments and no warnings`,
    options,
    async () => {
      withRuntime();
      const { out, err, code } = await outcome(launch(node ?? "", ["tell", "a b", "--json"]));
      assert.equal(err, "");
      assert.equal(code, 0);
      const told = JSON.parse(out);
      assert.deepEqual(told.rest, ["a b", "--json"]);
      assert(Number.parseInt(told.node, 10) >= 24);
      assert(existsSync(join(scratch, "cache/countersign/compiled")));
    },
  );

  test(`under ${name}: the exit code and the signal that ended it are passed on`, options, async () => {
    withRuntime();
    assert.equal((await outcome(launch(node ?? "", ["exit", "42"]))).code, 42);
    assert.equal((await outcome(launch(node ?? "", ["die"]))).signal, "SIGKILL");
  });

  test(`under ${name}: SIGTERM reaches the command line, which ends in its own way`, options, async () => {
    withRuntime();
    const child = launch(node ?? "", ["wait"]);
    await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    const ended = outcome(child);
    child.kill("SIGTERM");
    assert.deepEqual(await ended, { code: 7, signal: null, out: "drained\n", err: "" });
  });
}

const older = nodes["an older Node"];
const needsOlder = { skip: older === undefined && "this machine has no Node older than 24" };

test("under an older Node: killing the launcher drains the command line", needsOlder, async () => {
  withRuntime();
  const child = launch(older ?? "", ["wait"]);
  const stdout = child.stdout as NonNullable<typeof child.stdout>;
  await once(stdout, "data");
  child.kill("SIGKILL");
  // the pipe ends when its last writer is gone
  assert.equal(Buffer.concat(await stdout.toArray()).toString(), "drained\n");
});

test("an older Node without the bundled one says which command installs it", needsOlder, async (t) => {
  const bare = mkdtempSync(join(tmpdir(), "countersign-bare-"));
  t.after(() => rmSync(bare, { recursive: true }));
  cpSync(join(scratch, "bin"), join(bare, "bin"), { recursive: true });
  writeFileSync(join(bare, "package.json"), '{ "type": "module" }');
  const { code, err } = await outcome(launch(older ?? "", ["tell"], bare));
  assert.equal(code, 1);
  assert.match(err, /npm rebuild node/);
});
