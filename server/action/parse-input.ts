import type * as z from "zod";
import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import { HubError } from "../errors.ts";
import type { RegisteredAction } from "./registry.ts";
import { refuseUnsafeJson } from "./safe-json.ts";

/** The input as it will be judged, signed and executed, and its canonical bytes (RFC 8785). */
export interface ParsedInput {
  readonly value: Record<string, Json>;
  readonly canonical: string;
}

/**
 * Parses arguments once. Everything after this works on the parsed value: there is no second reading of what the
 * client sent. Throws INPUT_INVALID with the path of the first bad field, INPUT_TOO_LARGE.
 */
export function parseInput({ action }: RegisteredAction, raw: unknown): ParsedInput {
  const given = raw ?? {};
  refuseUnsafeJson(given);
  const parsed = action.input.safeParse(given);
  if (!parsed.success) throw action.secretInput ? unnamedFields(parsed.error) : invalidInput(parsed.error);
  const value = parsed.data as Record<string, Json>;
  return { value, canonical: canonicalize(withoutSecrets(value, action.secretInput)) };
}

/** Whoever reads a digest must not be able to test a guess of a secret against it, salted or not. */
function withoutSecrets(value: Record<string, Json>, secrets: readonly string[] = []): Record<string, Json> {
  return secrets.length === 0 ? value : Object.fromEntries(Object.entries(value).filter(([f]) => !secrets.includes(f)));
}

/** A field that nobody knows may be the secret itself, put in the wrong place: it is not repeated. */
function unnamedFields(error: z.ZodError): HubError {
  const [strange] = error.issues.filter((issue) => issue.code === "unrecognized_keys");
  return strange
    ? new HubError("INPUT_INVALID", "This action takes no such field.", { path: pathOf(strange.path) })
    : invalidInput(error);
}

function invalidInput(error: z.ZodError): HubError {
  const [issue] = error.issues;
  if (!issue) return new HubError("INPUT_INVALID", "The arguments do not fit this action's input schema.");
  const parts = issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  const path = pathOf(parts);
  const what = issue.code === "unrecognized_keys" ? "this action has no such field" : issue.message;
  return new HubError("INPUT_INVALID", path ? `${path}: ${what}` : what, {
    path,
    details: { problems: error.issues.slice(0, 20).map((i) => ({ path: pathOf(i.path), message: i.message })) },
  });
}

/** `labels.team`, `modules[2].name`: how people write a place in JSON. */
export function pathOf(parts: readonly PropertyKey[]): string {
  return parts.reduce<string>((path, part) => {
    if (typeof part === "number") return `${path}[${part}]`;
    return path ? `${path}.${String(part)}` : String(part);
  }, "");
}
