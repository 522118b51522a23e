import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml } from "./parse-yaml.ts";
import { MAX_YAML_DEPTH, YAML_LIMITS, type YamlBudget } from "./yaml-budget.ts";
import type { YamlTree } from "./yaml-tree.ts";

const parse = (text: string, budget: Partial<YamlBudget> = {}) => parseYaml(text, { ...YAML_LIMITS, ...budget });

function treeOf(text: string, budget?: Partial<YamlBudget>): YamlTree {
  const parsed = parse(text, budget);
  assert.equal(parsed.faults, undefined);
  return (parsed as { tree: YamlTree }).tree;
}

const refused = (text: string, budget?: Partial<YamlBudget>) =>
  assert.ok(parse(text, budget).faults, text.slice(0, 40));

test("a text becomes plain JSON by the core schema of YAML 1.2", () => {
  const text =
    "a: [yes, no, on, 0o17, 0x1f, 017, 1e3, ~, null, true, 2026-01-31, 12:30:45, 1_000]\n'1': {2: 3, null: 4}\n";
  assert.deepEqual(treeOf(text).value, {
    a: ["yes", "no", "on", 15, 31, 17, 1000, null, null, true, "2026-01-31", "12:30:45", "1_000"],
    "1": { "2": 3, null: 4 },
  });
});

test("an alias stands for the anchor that was set last before it", () => {
  const text = "a: &x 1\nb: &y [&x 2, *x]\nc: &x 3\nd: *y\ne: *x\n";
  assert.deepEqual(treeOf(text).value, { a: 1, b: [2, 2], c: 3, d: [2, 2], e: 3 });
});

test("every value and every name has its place, and what is missing that of what is around it", () => {
  const tree = treeOf("a: &x\n  - b\n  - c: d\ne: *x\r\nf:\n");
  assert.deepEqual(tree.placeOf([]), { line: 1, column: 1 });
  assert.deepEqual(tree.placeOf(["a", 1, "c"]), { line: 3, column: 8 });
  assert.deepEqual(tree.placeOfKey(["a", 1, "c"]), { line: 3, column: 5 });
  assert.deepEqual(tree.placeOf(["e"]), { line: 4, column: 4 });
  assert.deepEqual(tree.placeOf(["e", 1, "c"]), { line: 3, column: 8 });
  assert.deepEqual(tree.placeOf(["a", 1, "x", "y"]), { line: 3, column: 5 });
  assert.equal(tree.placeOf(["f"]).line, 5);
});

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

test("nesting is bounded, written out or by way of aliases", () => {
  assert.ok(treeOf(nested(MAX_YAML_DEPTH)));
  refused(nested(MAX_YAML_DEPTH + 1));
  refused("[".repeat(200_000));
  refused("- ".repeat(200_000));
  refused("a: ".repeat(200_000));
  const chain = (links: number) =>
    ["a0: &a0 []", ...Array.from({ length: links }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`)].join("\n");
  const aliases = 10_000;
  assert.ok(treeOf(chain(MAX_YAML_DEPTH - 2), { aliases }));
  refused(chain(MAX_YAML_DEPTH - 1), { aliases });
});

test("what aliases grow to is bounded", () => {
  const uses = (n: number) => `a: &a 1\nb: [${"*a, ".repeat(n)}]\n`;
  assert.ok(treeOf(uses(YAML_LIMITS.aliases)));
  refused(uses(YAML_LIMITS.aliases + 1));
  const laughs = Array.from("bcdefghij", (name, i) => `${name}: &${name} [${`*${"abcdefghi"[i]}, `.repeat(9)}]`);
  refused(["a: &a [x, x, x, x, x, x, x, x, x]", ...laughs].join("\n"));
  const wide = `a: &a [${"x, ".repeat(2_000)}]\nb: [${"*a, ".repeat(300)}]\n`;
  refused(wide);
  assert.ok(treeOf(wide.replaceAll("*a", "a")));
});

test("text, tokens and values are bounded, over all texts of a reading", () => {
  const text = "a: [b, c]\n";
  for (const [what, enough] of [
    ["characters", 10],
    ["values", 5],
    ["aliases", 0],
  ] as const) {
    assert.ok(treeOf(text, { [what]: enough }), what);
    if (enough > 0) refused(text, { [what]: enough - 1 });
  }
  refused(text, { tokens: 5 });
  const budget = { ...YAML_LIMITS, characters: 15 };
  assert.equal(parseYaml(text, budget).faults, undefined);
  assert.ok(parseYaml(text, budget).faults);
});

test("many faults cost no more than one", () => {
  const { stackTraceLimit } = Error;
  for (const text of ["&a ", "*a ", '"\n', "]", "%a\n", "---\n", "...\n", "{a: b},"]) {
    const { faults } = parse(text.repeat(20_000));
    assert.equal(faults?.length, 1, text);
  }
  assert.equal(Error.stackTraceLimit, stackTraceLimit);
});

test("a map with very many names, each of them twice, is read in one pass", () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `n${i}: 1`).join("\n");
  assert.ok(treeOf(names));
  assert.equal(parse(`${names}\n${names}`).faults?.length, 20_000);
});

test("no fault quotes the text", () => {
  const secret = "hunter2";
  for (const around of [
    "a: b: X",
    "a: 'X",
    "a: !X b",
    "a: *X",
    '"\\X"',
    "%X",
    "X: 1\nX: 2",
    "@X",
    "[X",
    "a: X\n\tb: X",
    "? [X]",
  ]) {
    const { faults } = parse(around.replaceAll("X", secret));
    assert.ok(faults, around);
    for (const { message } of faults) assert.ok(!message.includes(secret), around);
  }
});
