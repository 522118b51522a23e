/** contracts/index.yaml: every file of contracts/ with one line that says what it is for. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generator as envVars } from "./env-vars.ts";
import { generator as fleetSchemas } from "./fleet-schemas.ts";
import type { Generator } from "./generator.ts";
import { generator as gitopsSchemas } from "./gitops-schemas.ts";
import { generator as policy } from "./policy.ts";

const INDEX = "contracts/index.yaml";
const NO_CONTRACT = /\.(test|fixture)\.ts$|\/testdata\//;

/** Data whose own shape has no place for a title. */
const DATA: Readonly<Record<string, string>> = {
  "contracts/config/env-vars.v1.json": "The environment variables: name, type, default, description, secret or not.",
  "contracts/telemetry/events.v1.json": "The catalogue of events: types, subjects and the facts that each carries.",
};

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Those on disk, and those that are about to be written. */
async function paths(): Promise<string[]> {
  const found = globSync("contracts/**/*.{ts,json}", { cwd: root });
  const made = [envVars, fleetSchemas, gitopsSchemas, policy].flatMap(({ files }) => files);
  const all = new Set([...found, ...made.filter((path) => path.startsWith("contracts/"))]);
  return [...all].filter((path) => !NO_CONTRACT.test(path)).sort();
}

async function madeTexts(): Promise<ReadonlyMap<string, string>> {
  const schemas = await Promise.all([fleetSchemas, gitopsSchemas, policy].map((one) => one.generate()));
  return new Map(schemas.flatMap((texts) => [...texts]));
}

/** A schema says it in its title, code in the first sentence of its first doc comment. */
function about(path: string, text: string): string {
  const said = path.endsWith(".json") ? (DATA[path] ?? titleOf(text)) : firstSentence(text);
  if (said === undefined) throw new TypeError(`${path} does not say what it is for: give it a title or a doc comment`);
  return said;
}

function titleOf(text: string): string | undefined {
  const { title } = JSON.parse(text) as { title?: string };
  return title;
}

function firstSentence(text: string): string | undefined {
  const comment = /\/\*\*(?<words>.*?)\*\//s.exec(text)?.groups?.words;
  const words = comment
    ?.replaceAll(/^\s*\*/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return words?.split(/(?<=\.)\s/)[0];
}

async function index(): Promise<string> {
  const made = await madeTexts();
  const entries = (await paths()).flatMap((path) => {
    const text = made.get(path) ?? (DATA[path] ? "" : readFileSync(join(root, path), "utf8"));
    return [`  - path: ${path}`, `    about: ${JSON.stringify(about(path, text))}`];
  });
  return [
    "# The shapes that cross a boundary. Written by `npm run gen` from the files themselves.",
    "contracts:",
    ...entries,
    "",
  ].join("\n");
}

export const generator: Generator = {
  files: [INDEX],
  generate: async () => new Map([[INDEX, await index()]]),
};
