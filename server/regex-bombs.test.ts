/**
 * No text that somebody sends makes a pattern work for long: every pattern of the actions' input schemas, and every one
 * that is written in the hub's own source, meets strings that are pumped from what it is made of. What is linear is done
 * with all of them in milliseconds; what grows faster does not end within the bound, and is stopped there.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { actions } from "../tools/index.ts";
import { createRegistry } from "./action/registry.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Half of it squared are more steps than any machine makes within the bound. */
const LENGTH = 60_000;
/** Milliseconds for one pattern and all its strings: a hundred times what they take. */
const BOUND_MS = 4_000;
/** What reads nothing that comes from outside: the generators' and checks' own, and tests. */
const SOURCES = ["server/**/*.ts", "contracts/**/*.ts", "tools/**/*.ts", "cli/**/*.ts"];
const TESTS = /(\.test|[.-]fixture|\.contract)\.ts$|\/(test|fake)-[^/]+\.ts$|\/(demo|conformance)\//;

/** What is heavy and meets no text of somebody's that is long. */
const BOUNDED: Readonly<Record<string, string>> = {
  "server/adapters/git/tree-glob.ts": "a glob has at most 500 characters by then",
  "contracts/telemetry/events.ts": "it reads the catalogue's own words",
  "cli/commands/doctor/check-programs.ts": "it reads what git says of its version",
};

/** Characters that many patterns let through, and some that few do. */
const COMMON = ["a", "0", " ", ".", "/", "-"];

/** Strings that repeat one or two characters of the pattern's own, begun as it begins, and ended as it does not. */
function pumped({ source }: RegExp): string[] {
  const written = [...source.replaceAll(/\\[bBdDsSwWpPuxnrtfv]|\{[\d,]+\}|[()[\]^$*+?|\\]/g, "")];
  const own = [...new Set([...written.filter((char) => /[^\0]/.test(char)), ...COMMON])].slice(0, 14);
  const begin = /^\^?((?:[A-Za-z0-9_:/ -]|\\[./?])*)/.exec(source)?.[1]?.replaceAll("\\", "") ?? "";
  const units = [...own, ...own.slice(0, 6).flatMap((one) => own.slice(0, 6).map((two) => one + two))];
  const whole = new Set(units.map((unit) => unit.repeat(LENGTH / unit.length)));
  return [...whole].flatMap((body) => [`${begin}${body}\u0000`, `\u0000${body}`]);
}

/** Whether all of its strings were done with in time. */
function isLight(pattern: RegExp, timeout = BOUND_MS): boolean {
  const context = vm.createContext({ pattern, strings: pumped(pattern) });
  try {
    vm.runInContext("for (const text of strings) { pattern.lastIndex = 0; pattern.test(text); }", context, { timeout });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  }
}

/** `pattern` of JSON Schema, wherever it stands. */
function* patternsIn(schema: unknown): Generator<string> {
  if (!(schema instanceof Object)) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "pattern" && typeof value === "string") yield value;
    else yield* patternsIn(value);
  }
}

const LITERAL =
  /(?:[=(,:?!&|[{;]|\breturn|=>)\s*(\/(?![/*])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/)([dgimsuvy]*)(?=[.,;)\]\s}]|$)/gm;

function literalsIn(file: string): RegExp[] {
  const text = readFileSync(join(root, file), "utf8").replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  return [...text.matchAll(LITERAL)].map(([, literal = "", flags]) => new RegExp(literal.slice(1, -1), flags));
}

describe("a pattern that takes somebody's text", () => {
  it("is told from one that explodes, by these strings and this bound", () => {
    const heavy = [/^(a+)+$/, /^(\d+\.?)+$/, /^(x+x+)+y/, /^(?:[a-z0-9]+-?)*$/, /\s+$/];
    for (const pattern of heavy) assert.equal(isLight(pattern, 500), false, String(pattern));
    for (const pattern of [/^a+$/, /^\d+(?:\.\d+)*$/, /^x+y/, /^[a-z0-9]+(?:-[a-z0-9]+)*$/])
      assert.equal(isLight(pattern), true, String(pattern));
  });

  const declared = new Map<string, string>();
  for (const { action, inputSchema } of createRegistry(actions).list())
    for (const pattern of patternsIn(inputSchema)) declared.set(pattern, action.name);

  it("is there, in input schemas and in the source", () => {
    assert.ok(declared.size >= 5, String(declared.size));
  });

  for (const [pattern, action] of declared)
    it(`of ${action} is light: ${pattern.slice(0, 80)}`, () => {
      // as zod has it: with and without the flag, a pattern is one and the same machine
      assert.equal(isLight(new RegExp(pattern, "u")), true);
    });

  const files = SOURCES.flatMap((glob) => globSync(glob, { cwd: root })).filter((file) => !TESTS.test(file));
  const literals = new Map(files.flatMap((file) => literalsIn(file).map((found) => [String(found), { found, file }])));

  it("is found where it is written", () => {
    assert.ok(literals.size >= 60, String(literals.size));
    assert.ok([...literals.values()].some(({ file }) => file === "server/transport/bearer-token.ts"));
  });

  const heavy = new Set<string>();
  for (const { found, file } of literals.values())
    it(`in ${file} is light: ${String(found).slice(0, 80)}`, () => {
      if (isLight(found, file in BOUNDED ? 500 : BOUND_MS)) return;
      heavy.add(file);
      assert.ok(file in BOUNDED);
    });

  it("is heavy only where its text is short", () => {
    assert.deepEqual([...heavy].sort(), Object.keys(BOUNDED).sort());
  });
});
