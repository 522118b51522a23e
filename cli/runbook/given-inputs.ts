import type { RunbookHead, RunbookInput } from "../../contracts/runbooks/runbook-head.ts";
import { HubError } from "../../server/errors.ts";
import { filled, LATER, placeholdersIn } from "./placeholders.ts";
import { type RunbookFault, runbookInvalid } from "./runbook-fault.ts";
import { refuseSecret } from "./secret-looking.ts";

export type Value = string | number | boolean;

/** A value that every drill has: its folder, with a new secret in the file `secret` (mode 0600). */
export const SCRATCH = "scratch";

/**
 * The inputs of a run by name: given as `key=value`, or their defaults; in a drill at `scratch`, their values for drills.
 * Throws INPUT_INVALID for one that is unknown, of another type, missing, or a secret by its looks.
 */
export function givenInputs(head: RunbookHead, sets: readonly string[], scratch?: string): ReadonlyMap<string, Value> {
  const { values, missing } = readInputs(head, sets, scratch);
  if (missing.length > 0) throw needed(missing);
  return values;
}

/** The same where nothing is done with them: what is missing is not known yet. Throws INPUT_INVALID for all else. */
export function foreseenInputs(head: RunbookHead, sets: readonly string[]): ReadonlyMap<string, Value | typeof LATER> {
  const { values, missing } = readInputs(head, sets);
  return new Map<string, Value | typeof LATER>([...values, ...missing.map(({ name }) => [name, LATER] as const)]);
}

function readInputs(
  { inputs }: RunbookHead,
  sets: readonly string[],
  scratch?: string,
): { readonly values: ReadonlyMap<string, Value>; readonly missing: readonly RunbookInput[] } {
  const given = new Map(sets.map(pairOf));
  if (given.size < sets.length) throw new HubError("INPUT_INVALID", "An input is set twice.", { path: "set" });
  for (const name of given.keys()) if (!inputs.some((input) => input.name === name)) throw unknown(name, inputs);
  const values = new Map<string, Value>();
  const missing: RunbookInput[] = [];
  for (const input of inputs) {
    if (scratch !== undefined && isCaptured(input)) continue;
    const text = given.get(input.name);
    const value = text === undefined ? preset(input, scratch) : typedValue(input, text);
    if (value === undefined) missing.push(input);
    else values.set(input.name, value);
  }
  if (scratch !== undefined) values.set(SCRATCH, scratch);
  for (const [name, value] of values) refuseSecret(name, value);
  return { values, missing };
}

/** Values in the head that are not of the type that they are said to be. Throws RUNBOOK_INVALID. */
export function checkInputs(
  file: string,
  { inputs }: RunbookHead,
  lineOf: (path: readonly PropertyKey[]) => number,
): void {
  const faults: RunbookFault[] = [];
  for (const [index, { name, type, default: value, drill }] of inputs.entries()) {
    const line = lineOf(["inputs", index]);
    if (name === SCRATCH) faults.push({ line, message: `${SCRATCH} is a value that drills have` });
    if (value !== undefined && !isOf(type, value)) faults.push({ line, message: `${name}: the default is no ${type}` });
    if (drill === undefined) continue;
    if (typeof drill !== "object" && !isOf(type, drill))
      faults.push({ line, message: `${name}: the value for drills is no ${type}` });
    if (placeholdersIn(drill).some((found) => found.name !== SCRATCH))
      faults.push({ line, message: `${name}: in the value for drills there is {{${SCRATCH}}} alone` });
  }
  if (faults.length > 0) throw runbookInvalid(file, faults);
}

/** In a drill a step of its own finds it out. */
export const isCaptured = ({ drill }: RunbookInput): boolean => typeof drill === "object";

function preset({ drill, default: value }: RunbookInput, scratch: string | undefined): Value | undefined {
  if (scratch === undefined || drill === undefined) return value;
  return filled(drill, new Map([[SCRATCH, scratch]])) as Value;
}

function pairOf(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new HubError("INPUT_INVALID", `--set takes key=value, not ${text}`, { path: "set" });
  return [text.slice(0, at), text.slice(at + 1)];
}

function typedValue({ name, type }: RunbookInput, text: string): Value {
  if (type === "string") return text;
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  throw new HubError("INPUT_INVALID", `${name} has to be ${type === "boolean" ? "true or false" : "an integer"}.`, {
    path: name,
  });
}

function isOf(type: RunbookInput["type"], value: unknown): boolean {
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

function unknown(name: string, inputs: readonly RunbookInput[]): HubError {
  const names = inputs.map((input) => input.name).join(", ") || "none";
  return new HubError("INPUT_INVALID", `This runbook has no input "${name}"; it has: ${names}.`, { path: name });
}

function needed(missing: readonly RunbookInput[]): HubError {
  const lines = missing.map(({ name, description }) => `  --set ${name}=...   ${description}`);
  const names = missing.map(({ name }) => name);
  // a path is one place: where there are several the lines name them
  return new HubError("INPUT_INVALID", `Inputs are missing:\n${lines.join("\n")}`, {
    ...(names.length === 1 && { path: names[0] as string }),
    details: { missing: names },
  });
}
