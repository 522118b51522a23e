import assert from "node:assert/strict";
import { test } from "node:test";
import { inputFaults } from "./input-faults.ts";

const schema = {
  type: "object",
  properties: {
    name: { type: "string", pattern: "^[^\\p{Cc}]+$" },
    id: { type: "string", format: "uuid" },
    thing: {
      oneOf: [
        {
          type: "object",
          properties: { kind: { const: "A" }, size: { type: "integer" } },
          required: ["kind", "size"],
          additionalProperties: false,
        },
        { type: "object", properties: { kind: { const: "B" } }, required: ["kind"], additionalProperties: false },
      ],
    },
    list: { type: "array", items: { enum: ["x", "y"] } },
  },
  required: ["name"],
  additionalProperties: false,
};

const found = (value: object) => inputFaults(schema, value).map(({ path, isUnion }) => [path.join("."), isUnion]);

test("what fits has no faults, letters of a Unicode pattern among it", () => {
  const id = "01890000-0000-7000-8000-000000000001";
  assert.deepEqual(found({ name: "pepper", id, thing: { kind: "A", size: 1 }, list: ["x"] }), []);
});

test("each fault is told with its place", () => {
  assert.deepEqual(found({ name: "a\u0007" }), [["name", false]]);
  const paths = found({ id: "1", extra: 1, list: ["x", "z"] }).map(([path]) => path as string);
  assert.deepEqual(new Set(paths), new Set(["extra", "id", "list.1", "name"]));
});

test("of several forms the one that is meant is told about", () => {
  assert.deepEqual(found({ name: "a", thing: { kind: "A", size: "x" } }), [["thing.size", false]]);
  assert.deepEqual(found({ name: "a", thing: { kind: "B", size: 1 } }), [["thing.size", false]]);
  assert.deepEqual(found({ name: "a", thing: { kind: "C" } }), [["thing", true]]);
});
