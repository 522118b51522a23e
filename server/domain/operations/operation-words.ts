import type { OperationView } from "../../../contracts/operations/operation.ts";

/** One line for a chat: what it is, how far it is, where the whole is told. */
export function operationInWords({ id, kind, about, state, progress, error, next }: OperationView): string {
  const how = error ? `${error.code}: ${error.message}` : progress.sentence;
  const far = state === "working" ? ` (${progress.done} of ${progress.total})` : "";
  return `${kind} ${about}: ${state}${far}. ${how} ${next ? `More: ${next}` : id}`;
}
