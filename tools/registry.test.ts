import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { ERROR_WORDS } from "../contracts/errors/error-words.ts";
import { createRegistry } from "../server/action/registry.ts";
import { actions } from "./index.ts";

/** Names that an issue gave, which differ from the house's. */
const GIVEN_NAMES = ["system_rotate_vault_transit_pepper"];

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

for (const { action, inputSchema } of createRegistry(actions).list()) {
  test(`${action.name}: the declaration hangs together`, () => {
    const [, area] = action.name.split("_");
    if (!GIVEN_NAMES.includes(action.name))
      assert.equal(action.permission.split(".")[1], area, "its permission belongs to its area");
    const { effect, approval, loosens } = action.risk;
    assert.ok(effect !== "read" || approval === "none", "a read waits for nobody");
    assert.ok(!loosens || approval !== "none", "there is nothing to loosen");
    assert.match(action.title, /^[A-Z].*[^.]$/);
    assert.match(action.description, /^[A-Z][^]*\.$/, "whole sentences");
    assert.deepEqual([...new Set(action.errors)], action.errors, "each error once");
    const meant = action.errors.filter((code) => ERROR_WORDS[code].scope === "elsewhere" && code !== "PROOF_INVALID");
    assert.deepEqual(meant, [], "errors that a caller can meet");
  });

  test(`${action.name}: its input is strict and bounded everywhere`, () => {
    const faults = faultsOf(inputSchema, "", inputSchema);
    assert.deepEqual(faults, []);
  });

  // a job's input is the hub's own
  if (action.channels.some((channel) => channel !== "job"))
    for (const [path, id] of idsIn(action.input, ""))
      test(`${action.name}: ${path} has one spelling`, () => {
        assert.equal(id.parse(ID), ID);
        for (const text of [ID.toUpperCase(), ID.replace("c", "C"), ID.replaceAll("-", "")])
          assert.equal(id.safeParse(text).success, false, text);
      });
}

const ID = "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b";

/** The fields that are ids of rows, by their paths. */
function idsIn(schema: z.ZodType, path: string): [string, z.ZodType][] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return idsIn(schema.unwrap() as z.ZodType, path);
  if (schema instanceof z.ZodArray) return idsIn(schema.element as z.ZodType, `${path}[]`);
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, member]) => idsIn(member as z.ZodType, `${path}.${name}`));
  return schema instanceof z.ZodUUID ? [[path, schema]] : [];
}

/** What would let in fields that nobody knows, or values without end. */
function faultsOf(schema: Schema, path: string, root: Schema): string[] {
  const { $ref, type, properties = {}, additionalProperties, items, anyOf, oneOf } = schema;
  if (typeof $ref === "string") {
    const defs = root.$defs as Record<string, Schema>;
    return faultsOf(defs[$ref.replace("#/$defs/", "")] ?? {}, path, root);
  }
  const own = faultHere(schema);
  return [
    ...(own ? [`${path}: ${own}`] : []),
    ...Object.entries(properties).flatMap(([name, member]) => faultsOf(member, `${path}.${name}`, root)),
    ...(typeof additionalProperties === "object" ? faultsOf(additionalProperties, `${path}.*`, root) : []),
    ...(type === "array" && items ? faultsOf(items, `${path}[]`, root) : []),
    ...[...(anyOf ?? []), ...(oneOf ?? [])].flatMap((variant) => faultsOf(variant, path, root)),
  ];
}

function faultHere(schema: Schema): string | undefined {
  const { type, additionalProperties, enum: values, const: fixed, format, pattern, maxLength, maxItems } = schema;
  if (type === "object" && additionalProperties === undefined) return "takes any field";
  if (type === "array" && maxItems === undefined) return "a list without end";
  if (type !== "string" || values !== undefined || fixed !== undefined || maxLength !== undefined) return undefined;
  // of a format or a pattern, if it has an end: no * or + in it
  const ends = typeof pattern === "string" && !/(?<!\\)[*+]|,\}/.test(pattern);
  return ends || format === "uuid" || format === "date-time" ? undefined : "text without end";
}
