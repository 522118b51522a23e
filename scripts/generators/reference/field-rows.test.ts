import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { fieldRows } from "./field-rows.ts";
import type { Schema } from "./schema-words.ts";

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" }) as Schema;
const rows = (schema: z.ZodType) =>
  fieldRows(schemaOf(schema)).map(({ field, type, required, limits }) => [
    field,
    type,
    required ? "required" : "optional",
    limits,
  ]);

test("plain fields, with their limits", () => {
  const schema = z.strictObject({
    name: z.string().max(5).describe("what it is called"),
    code: z.string().regex(/^a|b$/),
    count: z.int().min(1).max(200).default(50),
    any: z.int(),
    id: z.uuidv7().optional(),
    at: z.iso.datetime(),
    nothing: z.null(),
    owner: z.string().nullable(),
  });
  assert.deepEqual(rows(schema), [
    ["name", "text", "required", "at most 5 characters"],
    ["code", "text", "required", "`^a\\|b$`"],
    ["count", "whole number", "optional", "1 to 200; default `50`"],
    ["any", "whole number", "required", ""],
    ["id", "UUID", "optional", ""],
    ["at", "time (ISO 8601, UTC)", "required", ""],
    ["nothing", "null", "required", ""],
    ["owner", "text or null", "required", ""],
  ]);
  assert.equal(fieldRows(schemaOf(schema))[0]?.description, "what it is called");
});

test("objects, lists and maps say what is in them", () => {
  const point = z.strictObject({ x: z.int() });
  const schema = z.strictObject({
    outer: z.strictObject({ inner: z.boolean() }),
    points: z.array(point).max(3),
    names: z.array(z.enum(["a", "b"])).min(1),
    labels: z.record(z.string(), z.string()),
    byName: z.record(z.string(), point),
    open: z.record(z.string(), z.unknown()),
  });
  assert.deepEqual(rows(schema), [
    ["outer", "object", "required", ""],
    ["outer.inner", "true or false", "required", ""],
    ["points", "list of object", "required", "at most 3 entries"],
    ["points[].x", "whole number", "required", ""],
    ["names", "list of `a`, `b`", "required", "at least 1 entries"],
    ["labels", "map of names to text", "required", ""],
    ["byName", "map of names to object", "required", ""],
    ["byName.*.x", "whole number", "required", ""],
    ["open", "map of names to anything", "required", ""],
  ]);
});

test("variants share what they have in common, and name what is their own", () => {
  const shared = { name: z.string() };
  const schema = z.strictObject({
    shape: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("Circle"), ...shared, radius: z.int() }),
      z.strictObject({ kind: z.literal("Square"), ...shared, side: z.int() }),
    ]),
    either: z.union([z.enum(["auto"]), z.strictObject({ approve: z.int() })]),
  });
  assert.deepEqual(
    rows(schema).map(([field, type]) => [field, type]),
    [
      ["shape", "object"],
      ["shape.name", "text"],
      ["shape(Circle).kind", "`Circle`"],
      ["shape(Circle).radius", "whole number"],
      ["shape(Square).kind", "`Square`"],
      ["shape(Square).side", "whole number"],
      ["either", "`auto` or object"],
      ["either.approve", "whole number"],
    ],
  );
});

test("a named schema is told where it is used", () => {
  const kind = z.enum(["a", "b"]).meta({ id: "TestKind" });
  assert.deepEqual(rows(z.strictObject({ one: kind, many: z.array(kind) })), [
    ["one", "`a`, `b`", "required", ""],
    ["many", "list of `a`, `b`", "required", ""],
  ]);
});
