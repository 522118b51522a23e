import type { MovedObject } from "../../../contracts/gitops/proposal.ts";
import type { Terminal } from "../../terminal.ts";
import { onLine } from "./shown-text.ts";

/** What happened to objects since they were proposed, each field as it was, as it is live, and as the commit wants it. */
export function movedInWords(terminal: Terminal, moved: readonly MovedObject[]): string {
  return moved
    .flatMap(({ words, fields }) => [
      terminal.style("yellow", onLine(words)),
      ...fields.flatMap(({ field, base, live, desired }) => [
        `  ${onLine(field)}`,
        `    was      ${shown(base)}`,
        terminal.style("red", `    live     ${shown(live)}`),
        terminal.style("green", `    desired  ${shown(desired)}`),
      ]),
    ])
    .join("\n");
}

const shown = (value: string | null): string => (value === null ? "(not there)" : onLine(value));
