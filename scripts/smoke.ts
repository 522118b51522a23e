/**
 * Runs the black-box checks, each smoke/*.ts in a process of its own, one after the other: `npm run smoke`, or
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

const lines: string[] = [];
let failed = 0;
for (const check of checks) {
  console.log(`\n--- ${check}`);
  const start = performance.now();
  const child = spawn(process.execPath, [join(root, check)], { cwd: root, stdio: "inherit" });
  const [code, signal] = await once(child, "exit");
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code !== 0) failed++;
  lines.push(`${code === 0 ? "pass" : "FAIL"}  ${check}  ${seconds} s${signal === null ? "" : ` (${signal})`}`);
}

if (checks.length === 0) {
  console.error("No smoke check matches: nothing was proven.");
  failed++;
}
console.log(`\n${lines.join("\n")}`);
process.exitCode = failed > 0 ? 1 : 0;
