import type { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { Operation, OperationWriter } from "./operation-store.ts";

/** Ends an operation that could not be carried on, unless another process holds it by now. */
export async function failOperation(
  tx: { readonly operations: OperationWriter; readonly events: EventWriter },
  { id, kind, subject, fence }: Operation,
  { code, message, details }: HubError,
  at: Date,
): Promise<void> {
  if (!(await tx.operations.fail(id, fence, { code, message, details }, at))) return;
  await tx.events.emit({
    type: "operations.failed",
    subject: `operations/${id}`,
    data: { kind, about: subject, code },
  });
}
