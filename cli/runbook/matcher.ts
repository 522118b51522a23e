import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { printableJson } from "../terminal.ts";

/** What a value has to be: itself, or one of the ways that an object names. */
const way = z.strictObject({
  equals: z.json().optional(),
  oneOf: z.array(z.json()).min(1).optional(),
  matches: z.string().max(200).optional(),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  exists: z.boolean().optional(),
});

export const matcher = z.union([z.string(), z.number(), z.boolean(), z.null(), way], {
  error: "a plain value, or one of equals, oneOf, matches, atLeast, atMost, exists",
});
export type Matcher = z.output<typeof matcher>;

/** Undefined where the value is as it has to be, else what was expected, in words. */
export function mismatch(wanted: Matcher, found: unknown): string | undefined {
  const ways = typeof wanted === "object" && wanted !== null ? wanted : { equals: wanted };
  const missed = Object.entries(ways).filter(([name, value]) => !holds(name, value, found));
  return missed.length === 0 ? undefined : missed.map(([name, value]) => inWords(name, value)).join(" and ");
}

/** Undefined where its parts can be used. */
export function matcherFault(wanted: Matcher): string | undefined {
  if (typeof wanted !== "object" || wanted === null) return undefined;
  if (Object.keys(wanted).length === 0) return "it says nothing about the value";
  if (wanted.matches === undefined) return undefined;
  try {
    RegExp(wanted.matches, "u");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function holds(name: string, value: unknown, found: unknown): boolean {
  switch (name) {
    case "equals":
      return isDeepStrictEqual(found, value);
    case "oneOf":
      return (value as unknown[]).some((one) => isDeepStrictEqual(found, one));
    case "matches":
      return typeof found === "string" && new RegExp(value as string, "u").test(found);
    case "atLeast":
      return typeof found === "number" && found >= (value as number);
    case "atMost":
      return typeof found === "number" && found <= (value as number);
    default:
      return (found !== undefined && found !== null) === value;
  }
}

function inWords(name: string, value: unknown): string {
  const shown = printableJson(value);
  const words: Readonly<Record<string, string>> = {
    equals: shown,
    oneOf: `one of ${shown}`,
    matches: `a text that matches ${shown}`,
    atLeast: `at least ${shown}`,
    atMost: `at most ${shown}`,
    exists: value === true ? "a value" : "no value",
  };
  return words[name] ?? shown;
}
