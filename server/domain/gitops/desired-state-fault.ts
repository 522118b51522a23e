import { formatJsonPath, type JsonPath } from "../../../contracts/formats/json-path.ts";
import { HubError } from "../../errors.ts";
import type { DesiredStateProblem } from "./desired-state.ts";
import { secretInText } from "./plain-secrets.ts";

const MAX_TOLD = 50;

/** DESIRED_STATE_INVALID with the first problems by file and place; `details.more` counts those that are left out. */
export function desiredStateInvalid(problems: readonly DesiredStateProblem[]): HubError {
  const sorted = [...problems].sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.path, b.path),
  );
  const [first] = sorted;
  if (first === undefined) throw new TypeError("cannot happen: invalid, and nothing is wrong");
  const others = sorted.length - 1;
  const more = others === 0 ? "" : ` (and ${others} more)`;
  return new HubError("DESIRED_STATE_INVALID", `${problemInWords(first)}${more}`, {
    details: { problems: sorted.slice(0, MAX_TOLD), more: Math.max(0, sorted.length - MAX_TOLD) },
  });
}

/** `fleet.yaml:12:7 modules[0].spec.digest: expected sha256: and 64 hex digits` */
function problemInWords({ file, line, column, path, message }: DesiredStateProblem): string {
  return `${file}:${line}:${column}${path === "" ? "" : ` ${path}`}: ${message}`;
}

/** A path for people. Names come from the file, and one that is a credential is not told. */
export function pathInWords(path: JsonPath): string {
  return formatJsonPath(path.map((part) => (typeof part === "string" && secretInText(part) ? "hidden" : part)));
}

/** By code units, alike on every machine. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
