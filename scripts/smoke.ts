/**
 * Runs the black-box checks, each smoke/*.ts in a process of its own, two at a time: `npm run smoke`, or
 * `npm run smoke -- approve` for those whose name contains the word. A check fails by ending with another code than 0.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const words = process.argv.slice(2);
const checks = globSync("smoke/*.ts", { cwd: root })
  .filter((file) => !file.endsWith(".test.ts"))
  .filter((file) => words.length === 0 || words.some((word) => basename(file).includes(word)))
  .sort();

/** Each has a hub and a database of its own, and mostly waits for them. */
const AT_A_TIME = 2;

const queue = [...checks];
const lines: string[] = [];
let failed = 0;
await Promise.all(Array.from({ length: AT_A_TIME }, work));

/** Takes one check after the other until none is left. */
async function work(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) lines.push(await run(check));
}

/** What it prints is shown when it has ended, so that two do not talk at once. */
async function run(check: string): Promise<string> {
  console.log(`begins  ${check}`);
  const start = performance.now();
  const child = spawn(process.execPath, [join(root, check)], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code, signal] = await once(child, "close");
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code !== 0) failed++;
  console.log(`\n--- ${check}\n${output.trimEnd()}\n`);
  return `${code === 0 ? "pass" : "FAIL"}  ${check}  ${seconds} s${signal === null ? "" : ` (${signal})`}`;
}

if (checks.length === 0) {
  console.error("No smoke check matches: nothing was proven.");
  failed++;
}
console.log(`\n${lines.sort().join("\n")}`);
process.exitCode = failed > 0 ? 1 : 0;
