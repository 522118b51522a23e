import assert from "node:assert/strict";
import { test } from "node:test";
import { type Matcher, matcherFault, mismatch } from "./matcher.ts";
import { parsePath, schemaHas, valueAt } from "./value-path.ts";

const at = (value: unknown, path: string) => valueAt(value, parsePath(path) ?? assert.fail(path));

test("a path leads to members, items and the length of lists", () => {
  const value = { run: { items: [{ id: "a" }, { id: "b" }] }, none: null };
  assert.equal(at(value, "run.items[1].id"), "b");
  assert.equal(at(value, "run.items.length"), 2);
  assert.equal(at(value, "none"), null);
  assert.equal(at(value, "run.items[id=b].id"), "b");
  assert.equal(at(value, "run.items[id=c].id"), undefined);
  for (const path of ["run.items[2].id", "run.length", "none.x", "toString", "run.items.id", "__proto__"])
    assert.equal(at(value, path), undefined, path);
});

test("what is no path is not read as one", () => {
  for (const path of ["", ".a", "a.", "a..b", "a[x]", "a[-1]", "a[0", "a[=1]", "a[b=]", "a b", "[]"])
    assert.equal(parsePath(path), undefined, path);
  assert.deepEqual(parsePath("[0].a"), [0, "a"]);
});

test("a schema has what its values can have", () => {
  const schema = {
    type: "object",
    properties: {
      items: { type: "array", items: { $ref: "#/$defs/Item" } },
      one: { anyOf: [{ type: "object", properties: { a: {} }, additionalProperties: false }, { type: "null" }] },
      open: { type: "object", additionalProperties: { type: "string" } },
      free: {},
    },
    additionalProperties: false,
    $defs: { Item: { type: "object", properties: { id: { type: "string" } }, additionalProperties: false } },
  };
  const has = (path: string) => schemaHas(schema, parsePath(path) ?? assert.fail(path));
  for (const path of [
    "items",
    "items.length",
    "items[3].id",
    "items[id=x y].id",
    "one.a",
    "one.a.b",
    "open.x",
    "free.x.y[0]",
  ])
    assert.ok(has(path), path);
  for (const path of [
    "item",
    "items.id",
    "items[name=x].id",
    "one[a=1]",
    "items[0].name",
    "items[0].id.x",
    "one.b",
    "open.x.y",
    "items.length.x",
  ])
    assert.ok(!has(path), path);
});

test("a value is as it has to be, or what was expected is told", () => {
  const cases: [Matcher, unknown, unknown][] = [
    ["a", "a", "b"],
    [3, 3, "3"],
    [true, true, 1],
    [null, null, undefined],
    [{ equals: [1, { a: 2 }] }, [1, { a: 2 }], [1, { a: 3 }]],
    [{ oneOf: ["a", 2] }, 2, 3],
    [{ matches: "^vault:v[0-9]+$" }, "vault:v12", "vault:v"],
    [{ matches: "2" }, "2", 2],
    [{ atLeast: 2 }, 2, 1],
    [{ atLeast: 2, atMost: 3 }, 3, 4],
    [{ exists: true }, 0, null],
    [{ exists: false }, undefined, ""],
  ];
  for (const [wanted, good, bad] of cases) {
    assert.equal(mismatch(wanted, good), undefined, JSON.stringify(wanted));
    assert.notEqual(mismatch(wanted, bad), undefined, JSON.stringify(wanted));
    assert.equal(matcherFault(wanted), undefined);
  }
  for (const wanted of [{}, { matches: "(" }]) assert.notEqual(matcherFault(wanted), undefined);
});
