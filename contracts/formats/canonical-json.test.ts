import assert from "node:assert/strict";
import { suite, test } from "node:test";
import serialize from "canonicalize";
import fc from "fast-check";
import { canonicalize, digest, type Json, MAX_DEPTH } from "./canonical-json.ts";

/** Any JSON value without `__proto__`, with whole surrogate pairs, names that look like indexes, and shared names. */
const names = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "1",
    "10",
    "9",
    "a",
    "b",
    "constructor",
    "toJSON",
    "\u20ac",
    "\u{1f600}",
    "\ufb33",
    "é",
    "a b",
  ),
  fc.string({ unit: "binary" }).filter((name) => name !== "__proto__"),
);
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.constantFrom<Json>(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(names, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value;

/** The same value, every object filled in the opposite order. */
function reversed(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

function nested(levels: number): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

suite("canonicalize", () => {
  test("writes what the library writes", () => {
    fc.assert(
      fc.property(json, (value) => {
        assert.equal(canonicalize(value), serialize(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("does not depend on the order of members", () => {
    fc.assert(
      fc.property(json, (value) => {
        assert.equal(canonicalize(reversed(value)), canonicalize(value));
      }),
      { numRuns: 1000 },
    );
  });

  test("parses back to the same value, and its text stays as it is", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalize(value);
        const parsed = JSON.parse(text) as Json;
        // -0 and 0 are one number in JSON
        assert.deepEqual(parsed, JSON.parse(JSON.stringify(value)));
        assert.equal(canonicalize(parsed), text);
      }),
      { numRuns: 1000 },
    );
  });

  test("leaves its input alone", () => {
    const value = { b: [{ d: 1, c: 2 }], a: 1 };
    canonicalize(value);
    assert.equal(JSON.stringify(value), '{"b":[{"d":1,"c":2}],"a":1}');
  });

  test("looks at each member once, however the unsorted objects are nested", () => {
    let value: Json = { b: 1, a: 1 };
    for (let level = 0; level < 100; level++) value = { a: 0, b: value };
    assert.equal(canonicalize(value), serialize(value));
  });

  const circular: Record<string, unknown> = {};
  circular.self = [circular];
  const sparse: unknown[] = [1];
  sparse[2] = 3;

  const cases: { value: unknown; accepted?: unknown; path: string; integersOnly?: boolean }[] = [
    { value: { a: "x\ud800" }, accepted: { a: "x\ud83d\ude00" }, path: "a" },
    { value: { a: [{ "\udc00b": 1 }] }, accepted: { a: [{ "\ud83d\udc00b": 1 }] }, path: 'a[0]["\\udc00b"]' },
    { value: { a: undefined }, accepted: { a: null }, path: "a" },
    { value: undefined, accepted: null, path: "" },
    { value: { a: { b: Number.NaN } }, accepted: { a: { b: 0 } }, path: "a.b" },
    { value: [1, Number.POSITIVE_INFINITY], accepted: [1, Number.MAX_VALUE], path: "[1]" },
    {
      value: { modules: [{}, {}, { name: () => 1 }] },
      accepted: { modules: [{}, {}, { name: "" }] },
      path: "modules[2].name",
    },
    { value: { a: 1n }, accepted: { a: 1 }, path: "a" },
    { value: { at: new Date(0) }, accepted: { at: new Date(0).toISOString() }, path: "at" },
    { value: { bytes: Buffer.from("x") }, accepted: { bytes: Buffer.from("x").toString("hex") }, path: "bytes" },
    { value: JSON.parse('{"a":{"__proto__":{"b":1}}}'), accepted: { a: { proto: { b: 1 } } }, path: "a.__proto__" },
    { value: { list: sparse }, accepted: { list: [1, null, 3] }, path: "list[1]" },
    { value: { a: 1.5 }, accepted: { a: 1 }, path: "a", integersOnly: true },
    { value: { a: 2 ** 53 }, accepted: { a: 2 ** 53 - 1 }, path: "a", integersOnly: true },
    { value: [-(2 ** 53)], accepted: [1 - 2 ** 53], path: "[0]", integersOnly: true },
  ];
  for (const { value, accepted, path, integersOnly } of cases) {
    test(`refuses ${integersOnly ? "in signed records " : ""}the value at ${JSON.stringify(path)} with its path`, () => {
      const options = integersOnly === undefined ? {} : { integersOnly };
      assert.throws(() => canonicalize(value as Json, options), { code: "CANONICAL_INVALID", path });
      assert.equal(canonicalize(accepted as Json, options), serialize(accepted));
    });
  }

  test("nests as deep as the limit, and no deeper", () => {
    const deepest = nested(MAX_DEPTH);
    assert.equal(canonicalize(deepest), serialize(deepest));
    assert.throws(() => canonicalize(nested(MAX_DEPTH + 1)), { code: "CANONICAL_INVALID" });
    assert.throws(() => canonicalize(nested(1_000_000)), { code: "CANONICAL_INVALID" });
    assert.throws(() => canonicalize(circular as unknown as Json), { code: "CANONICAL_INVALID" });
  });

  test("takes other numbers where the record is not signed", () => {
    assert.equal(canonicalize({ a: [1.5, 1e21, -0] }), '{"a":[1.5,1e+21,0]}');
  });
});

test("digest is the SHA-256 of bytes or of a text's UTF-8", () => {
  const expected = "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c";
  assert.equal(digest("é"), expected);
  assert.equal(digest(Buffer.from("é")), expected);
  assert.equal(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
