/**
 * What policies see of an input: a strict zod object becomes a Cedar record type and the function that fills it.
 * A pure function of the parsed input, so that the input's digest covers what was decided on.
 *
 * What Cedar cannot hold is refused when the registry is built. Leaving such a field out in silence would be unsafe:
 * `permit ... unless { context.input has price && context.input.price > 9 }` on a field that is not declared passes
 * strict validation and always permits.
 */
import * as z from "zod";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { CedarType, CedarValueJson, EntityJson } from "./cedar-engine.ts";
import { type EnumTypes, enumName } from "./enum-types.ts";
import { stringFormat } from "./string-values.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Converts a value; `at` names it, and `maps` collects the entities that hold its open maps of strings. */
type Show = (value: Json, at: string, maps: EntityJson[]) => CedarValueJson;

interface Field {
  readonly type: CedarType;
  readonly show: Show;
}

export interface PolicyInput {
  /** A record. */
  readonly type: CedarType;
  /** Throws TypeError where the input does not fit the declaration: the call is then refused. */
  readonly project: (input: Json) => { readonly input: CedarValueJson; readonly maps: EntityJson[] };
}

/** Throws TypeError for anything that Cedar cannot hold. */
export function policyInput(action: string, declared: z.ZodObject, enums: EnumTypes): PolicyInput {
  const root = jsonSchemaOf(action, declared);
  const definitions = root.$defs ?? {};
  const { type, show } = field(root, ["input"], new Set());
  return {
    type,
    project: (input) => {
      const maps: EntityJson[] = [];
      return { input: show(input, "input", maps), maps };
    },
  };

  function refuse(path: readonly string[], why: string): never {
    throw new TypeError(`${action}: policies cannot see ${path.join(".")}: ${why}; declare what policies may see`);
  }

  function field(schema: JsonSchema, path: readonly string[], within: ReadonlySet<string>): Field {
    if (schema.$ref !== undefined) return reference(schema.$ref, path, within);
    const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    if (values) return enumeration(enumName(action, ...path.slice(1)), values, path);
    switch (schema.type) {
      case "boolean":
        return { type: { type: "Boolean" }, show: booleanAt };
      case "integer":
        return { type: { type: "Long" }, show: integerAt };
      case "number": // Cedar has no floats: the number as JSON writes it, for comparing by equality
        return { type: { type: "String" }, show: (value, at) => String(numberAt(value, at)) };
      case "string":
        return text(schema, path);
      case "array":
        return array(schema, path, within);
      case "object":
        return schema.properties ? object(schema, path, within) : stringMap(schema, path);
      default:
        return refuse(path, schema.anyOf || schema.oneOf ? "a union" : "any value");
    }
  }

  function reference(ref: string, path: readonly string[], within: ReadonlySet<string>): Field {
    const name = ref.replace("#/$defs/", "");
    const target = definitions[name];
    if (!target || within.has(name)) return refuse(path, "a recursive type");
    // `.meta({ id })` on an enum makes it one type for all actions that use it
    if (target.enum) return enumeration(enumName(name), target.enum, path);
    return field(target, path, new Set([...within, name]));
  }

  function enumeration(name: string, values: readonly unknown[], path: readonly string[]): Field {
    if (!values.every((value) => typeof value === "string")) return refuse(path, "an enum of other than strings");
    const show: Show = (value, at) => ({ type: name, id: stringAt(value, at) });
    return { type: enums.declare(name, values), show };
  }

  function text(schema: JsonSchema, path: readonly string[]): Field {
    const format = stringFormat(schema.format);
    if (!format) return refuse(path, "a range of addresses");
    return { type: format.type, show: (value, at) => format.show(stringAt(value, at)) };
  }

  /** A Cedar set has no size and forgets duplicates, hence `count`. */
  function array(schema: JsonSchema, path: readonly string[], within: ReadonlySet<string>): Field {
    const { items } = schema;
    if (typeof items !== "object" || Array.isArray(items)) return refuse(path, "a tuple");
    const item = field(items, [...path, "items"], within);
    return {
      type: record({ count: { type: "Long" }, items: { type: "Set", element: item.type } }),
      show: (value, at, maps) => {
        if (!Array.isArray(value)) return mismatch(at);
        return { count: value.length, items: value.map((one, index) => item.show(one, `${at}[${index}]`, maps)) };
      },
    };
  }

  function stringMap(schema: JsonSchema, path: readonly string[]): Field {
    const values = schema.additionalProperties;
    if (typeof values !== "object" || values.type !== "string") return refuse(path, "an open map");
    return { type: { type: "Entity", name: "StringMap" }, show: showStringMap };
  }

  function object(schema: JsonSchema, path: readonly string[], within: ReadonlySet<string>): Field {
    if (schema.additionalProperties !== false) return refuse(path, "an object with unknown fields");
    const required = new Set(schema.required ?? []);
    const fields = Object.entries(schema.properties ?? {}).map(([name, raw]) => {
      const here = [...path, name];
      if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) return refuse(here, "a name that is no identifier");
      const { schema: inner, nullable } = withoutNull(raw as JsonSchema);
      if (nullable && !required.has(name)) return refuse(here, "absent, null and set are three states");
      return { name, optional: nullable || !required.has(name), ...field(inner, here, within) };
    });
    const attributes = fields.map((f) => [f.name, f.optional ? { ...f.type, required: false } : f.type] as const);
    const show: Show = (value, at, maps) => {
      if (!isRecord(value)) return mismatch(at);
      const shown: Record<string, CedarValueJson> = {};
      for (const { name, optional, show: showField } of fields) {
        const found = Object.hasOwn(value, name) ? value[name] : undefined;
        if (found !== undefined && found !== null) shown[name] = showField(found, `${at}.${name}`, maps);
        else if (!optional) return mismatch(`${at}.${name}`);
      }
      return shown;
    };
    return { type: record(Object.fromEntries(attributes)), show };
  }
}

/** An open map of strings as an entity with tags; without that entity `hasTag` is false and no error tells. */
export function showStringMap(value: Json, at: string, maps: EntityJson[]): CedarValueJson {
  if (!isRecord(value)) return mismatch(at);
  for (const text of Object.values(value)) if (typeof text !== "string") return mismatch(at);
  maps.push({ uid: { type: "StringMap", id: at }, attrs: {}, parents: [], tags: value as Record<string, string> });
  return { type: "StringMap", id: at };
}

function jsonSchemaOf(action: string, declared: z.ZodObject): JsonSchema {
  try {
    return z.toJSONSchema(declared, { io: "output" });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new TypeError(`${action}: policies cannot see input: ${what}; declare what policies may see`, {
      cause: error,
    });
  }
}

function record(attributes: Record<string, CedarType & { required?: boolean }>): CedarType {
  return { type: "Record", attributes };
}

/** Zod writes "or null" as a second type or as a second choice. */
function withoutNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  if (!schema.anyOf) {
    const types = Array.isArray(schema.type) ? (schema.type as string[]) : [];
    if (!types.includes("null")) return { schema, nullable: false };
    const [type] = types.filter((name) => name !== "null");
    return { schema: { ...schema, type: type as "string" }, nullable: true };
  }
  const choices = schema.anyOf.filter((choice) => choice.type !== "null");
  const [only] = choices;
  if (choices.length === schema.anyOf.length) return { schema, nullable: false };
  return { schema: choices.length === 1 && only ? only : { anyOf: choices }, nullable: true };
}

function booleanAt(value: Json, at: string): boolean {
  return typeof value === "boolean" ? value : mismatch(at);
}

function numberAt(value: Json, at: string): number {
  return typeof value === "number" ? value : mismatch(at);
}

function stringAt(value: Json, at: string): string {
  return typeof value === "string" ? value : mismatch(at);
}

function integerAt(value: Json, at: string): number {
  const number = numberAt(value, at);
  return Number.isSafeInteger(number) ? number : mismatch(at);
}

function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mismatch(at: string): never {
  throw new TypeError(`${at} does not fit what the action declares for policies`);
}
