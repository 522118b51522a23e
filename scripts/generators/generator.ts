/**
 * What a file in this folder exports as `generator`: `npm run gen` finds it by being here.
 * Texts must depend on nothing but the sources: no dates, no machine, a stated order.
 */
export interface Generator {
  /** Files it owns, from the project's root; what is in them is written over. */
  readonly files: readonly string[];
  /** The text of each of those files. */
  generate(): Promise<ReadonlyMap<string, string>>;
}

/** JSON as generated files have it: two spaces and a final newline. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
