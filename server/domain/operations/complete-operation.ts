import type { EventWriter } from "../events/event-store.ts";
import type { OperationReader, OperationWriter } from "./operation-store.ts";

/** Ends an operation well. Answers with whether it was working under this fence: if not, nothing is changed. */
export async function completeOperation(
  tx: { readonly operations: OperationReader & OperationWriter; readonly events: EventWriter },
  { operationId, fence }: { readonly operationId: string; readonly fence: number },
  sentence: string,
  at: Date,
): Promise<boolean> {
  if (!(await tx.operations.complete(operationId, fence, sentence, at))) return false;
  const operation = await tx.operations.find(operationId);
  if (!operation) throw new TypeError("an operation that was completed is there");
  const { kind, subject } = operation;
  await tx.events.emit({
    type: "operations.completed",
    subject: `operations/${operationId}`,
    data: { kind, about: subject, sentence },
  });
  return true;
}
