import { HubError } from "../../server/errors.ts";

/** Something in a runbook's file that keeps all of it from being run. */
export interface RunbookFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

const MOST_SHOWN = 20;

/** All of them at once, each with its place: `runbooks/key-custody.md:31: ...`. */
export function runbookInvalid(file: string, faults: readonly RunbookFault[]): HubError {
  const sorted = faults.toSorted((a, b) => a.line - b.line);
  const shown = sorted.slice(0, MOST_SHOWN).map(({ line, message }) => `${file}:${line}: ${message}`);
  const more = sorted.length - shown.length;
  const lines = more > 0 ? [...shown, `and ${more} more`] : shown;
  return new HubError("RUNBOOK_INVALID", `Nothing was run.\n${lines.join("\n")}`, {
    details: { file, faults: sorted },
  });
}
