import type { OperationView } from "../../../contracts/operations/operation.ts";
import { escapePlaces as shown } from "../approvals/escape-preview.ts";

/** One line for a chat: what it is, how far it is, where the whole is told, or its own id where it tells all there is. */
export function operationInWords({ id, kind, about, state, progress, error, next }: OperationView): string {
  const how = error ? `${error.code}: ${shown(error.message)}` : shown(progress.sentence);
  const far = state === "working" ? ` (${progress.done} of ${progress.total})` : "";
  return `${kind} ${about}: ${state}${far}. ${how} ${next ? `More: ${next}` : `Operation ${id}.`}`;
}
