import type * as z from "zod";
import type { JsonPath } from "../../../contracts/formats/json-path.ts";
import { FLEET_LISTS } from "../../../contracts/gitops/fleet-document.ts";

/** What does not fit the contract, in words for people who write YAML. */
export interface Misfit {
  readonly path: JsonPath;
  /** Whether the last name of the path is at fault, not what stands there. */
  readonly atKey: boolean;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

const KNOWN_AT_TOP = ["apiVersion", "kind", "include", ...Object.keys(FLEET_LISTS)];

/** `value` is what was parsed; `root` says whether the file is the one that may include others. */
export function misfitsOf(issues: readonly Issue[], value: unknown, root: boolean): Misfit[] {
  return issues.flatMap((issue): Misfit[] => {
    const path = issue.path as JsonPath;
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: [...path, key], atKey: true, message: unknownKey(path, key, root) }));
    const atKey = issue.code === "invalid_key";
    const inner = issue.code === "invalid_key" ? issue.issues[0] : undefined;
    return [{ path, atKey, message: inner ? `the name: ${inWords(inner, "")}` : inWords(issue, valueAt(value, path)) }];
  });
}

function unknownKey(path: JsonPath, key: string, root: boolean): string {
  if (path.length === 0) {
    if (key === "include" && !root) return "only the root file includes others";
    const known = KNOWN_AT_TOP.filter((name) => root || name !== "include");
    return `not known here; known are ${known.join(", ")}`;
  }
  const list = path[0] as keyof typeof FLEET_LISTS;
  if (path.length === 2 && key === "kind") return `not stated here: an entry of ${list} is a ${FLEET_LISTS[list]}`;
  return "no such field";
}

function inWords(issue: Issue, value: unknown): string {
  const expected = expectedIn(issue);
  if (value === undefined) return expected === undefined ? "missing" : `missing; expected ${expected}`;
  return expected === undefined ? issue.message : `expected ${expected}${found(issue, value)}`;
}

/** Undefined where the contract's own sentence says it all. */
function expectedIn(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "invalid_format":
      return issue.format === "url" ? "an address of a scheme that is allowed here, such as https" : issue.message;
    case "too_big":
      if (issue.origin === "int") return "a whole number that a computer keeps exactly";
      return `at most ${counted(Number(issue.maximum), issue.origin)}`;
    case "too_small":
      if (issue.origin === "int") return "a whole number that a computer keeps exactly";
      return `at least ${counted(Number(issue.minimum), issue.origin)}`;
    case "invalid_union":
      return expectedOfUnion(issue.errors);
    default:
      return undefined;
  }
}

/** The alternative whose type fits tells more; where none does, the types are the answer. */
function expectedOfUnion(alternatives: readonly (readonly Issue[])[]): string {
  const firsts = alternatives.flatMap(([first]) => (first ? [first] : []));
  const near = firsts.find((issue) => issue.code !== "invalid_type");
  if (near) return expectedIn(near) ?? near.message;
  return [...new Set(firsts.map((issue) => expectedIn(issue)))].join(" or ");
}

/** Types alone: the value may be a secret. */
function found(issue: Issue, value: unknown): string {
  if (issue.code !== "invalid_type" && issue.code !== "invalid_union") return "";
  if (value === null) return ", found nothing; leave the name out or give it a value";
  if (Array.isArray(value)) return ", found a list";
  const words: Record<string, string> = {
    string: "text",
    number: "a number",
    boolean: "true or false",
    object: "a map",
  };
  const word = words[typeof value];
  if (word === undefined || issue.code === "invalid_union") return "";
  // `1.0` and `yes` are meant as text more often than not
  const quotes = issue.expected === "string" && typeof value !== "object" ? "; put it in quotes" : "";
  return `, found ${word}${quotes}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function counted(count: number, origin: string): string {
  const [one, many] = origin === "string" ? ["character", "characters"] : ["entry", "entries"];
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function valueAt(value: unknown, path: JsonPath): unknown {
  let at = value;
  for (const part of path)
    at =
      typeof at === "object" && at !== null && Object.hasOwn(at, part)
        ? (at as Record<string, unknown>)[part]
        : undefined;
  return at;
}
