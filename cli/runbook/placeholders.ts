/** `{{name}}` in a runbook stands for an input or a captured value. */

export type Values = ReadonlyMap<string, unknown>;

const PLACEHOLDER = /\{\{\s*([A-Za-z][A-Za-z0-9]*)\s*\}\}/g;
const WHOLE = /^\{\{\s*([A-Za-z][A-Za-z0-9]*)\s*\}\}$/;
const OPEN = /\{\{|\}\}/;

/** Stands for what is not known before an earlier step has been done. */
export const LATER = Symbol("known when an earlier step is done");

/** Where a text or something in it has a placeholder. */
export interface Placeheld {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

/** Every placeholder in a value; one that is not closed or named well has the name "". Keys of objects have none. */
export function placeholdersIn(value: unknown, path: readonly (string | number)[] = []): Placeheld[] {
  if (typeof value === "string") {
    const names = [...value.matchAll(PLACEHOLDER)].map(([, name]) => ({ name: name as string, path }));
    return OPEN.test(value.replaceAll(PLACEHOLDER, "")) ? [...names, { name: "", path }] : names;
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => placeholdersIn(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => placeholdersIn(item, [...path, key]));
}

/**
 * The value with what its placeholders stand for. A text that is one placeholder and nothing else becomes the value itself,
 * whatever its type; within a text it is written out. What is `LATER`, or holds it, becomes `LATER`; a name without a value
 * cannot happen, since runbooks are checked first.
 */
export function filled(value: unknown, values: Values): unknown {
  if (typeof value === "string") return filledText(value, values);
  if (Array.isArray(value)) return value.map((item) => filled(item, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, values)]));
}

function filledText(text: string, values: Values): unknown {
  const [, whole] = WHOLE.exec(text) ?? [];
  if (whole !== undefined) return values.get(whole);
  const parts = placeholdersIn(text).map(({ name }) => values.get(name));
  if (parts.includes(LATER)) return LATER;
  return text.replaceAll(PLACEHOLDER, (_all, name: string) => written(values.get(name)));
}

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Where a filled value is `LATER`. */
export function laterIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (value === LATER) return [path];
  if (Array.isArray(value)) return value.flatMap((item, index) => laterIn(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => laterIn(item, [...path, key]));
}
