import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import type { PreviewChange } from "../approvals/preview.ts";
import { diffObject } from "./diff-object.ts";
import { template } from "./fleet.fixture.ts";

const key = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,5}$/);
const text = fc.oneof(fc.string(), fc.constantFrom("", "1", "true", "null", '"1"', " 2 ", "[]", "{}"));
const value = fc.oneof(text, fc.integer(), fc.boolean());
/** What a spec can hold: values, lists of them and objects with fields, none of them empty. */
const { spec } = fc.letrec<{ spec: Record<string, unknown>; node: unknown }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, value, fc.array(value, { minLength: 1, maxLength: 12 }), tie("spec")),
  spec: fc.dictionary(key, tie("node"), { minKeys: 1, maxKeys: 4 }),
}));
const object = fc.record({ labels: fc.dictionary(key, text), annotations: fc.dictionary(key, text), spec }) as never;
type Stated = NonNullable<Parameters<typeof diffObject>[1]>;
const objects = (check: (a: Stated, b: Stated) => void) => fc.assert(fc.property(object, object, check));

/** All fields of an object: what differs from nothing. */
const fields = (state: Stated) => new Map(diffObject(undefined, state).map(({ field, after }) => [field, after]));

function applied(state: Map<string, string | undefined>, changes: readonly PreviewChange[]) {
  for (const { field, before, after } of changes) {
    assert.equal(state.get(field), before, "what goes away is what was there");
    if (after === undefined) state.delete(field);
    else state.set(field, after);
  }
  return state;
}

const backwards = (given: unknown): unknown => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(
    Object.entries(given)
      .reverse()
      .map(([name, item]) => [name, backwards(item)]),
  );
};

test("the lines, applied to the state before, give the state after", () => {
  objects((a, b) => assert.deepEqual(applied(fields(a), diffObject(a, b)), fields(b)));
});

test("there are no lines if and only if the states are equal", () => {
  objects((a, b) => {
    assert.deepEqual(diffObject(a, structuredClone(a)), []);
    const equal = canonicalize(a as unknown as Json) === canonicalize(b as unknown as Json);
    assert.equal(diffObject(a, b).length === 0, equal);
  });
});

test("the order of keys changes nothing, and looking from the other side swaps before and after", () => {
  objects((a, b) => {
    const lines = diffObject(a, b);
    assert.deepEqual(diffObject(backwards(a) as Stated, backwards(b) as Stated), lines);
    const swapped = lines.map(({ field, before, after }) => ({
      field,
      ...(after !== undefined && { before: after }),
      ...(before !== undefined && { after: before }),
    }));
    assert.deepEqual(diffObject(b, a), swapped);
  });
});

test("a list is shown in its order, also past the tenth entry", () => {
  const modules = Array.from({ length: 12 }, (_, i) => `m${i}`);
  const lines = diffObject(template("web"), template("web", { modules }));
  assert.deepEqual(
    lines.map(({ field, after }) => [field, after]),
    modules.map((name, i) => [`spec.modules[${i}]`, name]),
  );
});

for (const [what, before, after, shown] of [
  ["a number and the text of it", 1, "1", { before: "1", after: '"1"' }],
  ["yes and the text of it", true, "true", { before: "true", after: '"true"' }],
  ["text and quoted text", "a", '"a"', { before: "a", after: '"\\"a\\""' }],
  ["text and no text", "a", "", { before: "a", after: '""' }],
  ["one text and another", "a", "b", { before: "a", after: "b" }],
] as const) {
  test(`${what} look different`, () => {
    const parameter = (value: string | number | boolean) => ({
      labels: {},
      annotations: {},
      spec: { template: "web", provider: "edge", selector: {}, parameters: { value } },
    });
    assert.deepEqual(diffObject(parameter(before), parameter(after)), [{ field: "spec.parameters.value", ...shown }]);
  });
}
