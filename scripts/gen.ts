/**
 * Writes every generated file: `npm run gen`. With `--check` it writes nothing and fails where a file would change.
 * Each file in scripts/generators/ exports a `generator`; one is added by adding a file.
 */
import { globSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Generator } from "./generators/generator.ts";

const NOT_GENERATORS = /(^|\/)generator\.ts$|\.test\.ts$/;

const root = fileURLToPath(new URL("..", import.meta.url));
const checkOnly = process.argv.includes("--check");

const texts = new Map<string, string>();
for (const module of globSync("scripts/generators/*.ts", { cwd: root }).sort()) {
  if (NOT_GENERATORS.test(module)) continue;
  for (const [path, text] of await textsOf(module)) {
    if (texts.has(path)) fail(`${path} is written by two generators; ${module} is the second.`);
    texts.set(path, text);
  }
}

const changed: string[] = [];
for (const [path, text] of texts) {
  const file = join(root, path);
  const before = await readFile(file, "utf8").catch(() => undefined);
  if (before === text) continue;
  changed.push(path);
  if (checkOnly) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

for (const path of changed) console.log(`${checkOnly ? "differs" : "written"}  ${path}`);
console.log(`${texts.size} generated files, ${changed.length} ${checkOnly ? "out of date" : "changed"}.`);
if (checkOnly && changed.length > 0) fail("Run: npm run gen");

async function textsOf(module: string): Promise<ReadonlyMap<string, string>> {
  const { generator }: { generator?: Generator } = await import(pathToFileURL(join(root, module)).href);
  if (generator === undefined) return fail(`${module} exports no generator.`);
  const made = await generator.generate();
  const named = [...generator.files].sort().join(", ");
  const found = [...made.keys()].sort().join(", ");
  if (named !== found) fail(`${module} says that it writes ${named}, and wrote ${found}.`);
  return made;
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
