/**
 * All checks that need no running hub: `npm run check`, or `npm run check -- types lint` for some of them.
 * They run side by side; every one that fails shows what it found, not only the first.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A check is a program of a package, or a script of ours, with its arguments; the longest come first. */
const checks: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  types: ["typescript:tsc", "--noEmit", "--project", "."],
  unused: ["knip:knip", "--no-progress"],
  lint: ["oxlint:oxlint", "--deny-warnings"],
  format: ["@biomejs/biome:biome", "ci", "--colors=off", "."],
  licences: ["scripts/check-licences.ts"],
  dependencies: ["scripts/check-dependencies.ts"],
  lockfile: ["scripts/lockfile.ts"],
};

const root = fileURLToPath(new URL("..", import.meta.url));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`No such check: ${unknown.join(", ")}. There are: ${Object.keys(checks).join(", ")}.`);
  process.exit(1);
}

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

const queue = asked.length > 0 ? asked : Object.keys(checks);
const outcomes: Outcome[] = [];
await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, work));

const failed = outcomes.filter(({ passed }) => !passed);
for (const { name, output } of failed) console.error(`\n--- ${name}\n${output.trimEnd()}`);
console.log();
for (const { name, passed, seconds } of outcomes) {
  console.log(`${passed ? "pass" : "FAIL"}  ${name.padEnd(12)} ${seconds.toFixed(1)} s`);
}
process.exitCode = failed.length > 0 ? 1 : 0;

/** Takes one check after the other until none is left. */
async function work(): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) outcomes.push(await runCheck(name));
}

async function runCheck(name: string): Promise<Outcome> {
  const [program = "", ...args] = checks[name] ?? [];
  const start = performance.now();
  const child = spawn(process.execPath, [pathOf(program), ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on("error", (error) => {
    output += error.message;
    resolve(false);
  });
  child.on("close", (code) => resolve(code === 0));
  return { name, passed: await promise, output, seconds: (performance.now() - start) / 1000 };
}

/** `package:program` is looked up in the package's manifest, so that no shell and no PATH is needed. */
function pathOf(program: string): string {
  const [name = "", binary] = program.split(":");
  if (binary === undefined) return join(root, program);
  const folder = join(root, "node_modules", name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, typeof bin === "string" ? bin : bin[binary]);
}
