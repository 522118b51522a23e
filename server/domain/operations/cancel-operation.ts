import { HubError } from "../../errors.ts";
import type { ApprovalReader, ApprovalWriter } from "../approvals/approval-store.ts";
import { cancelRequest } from "../approvals/cancel-request.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { OperationReader, OperationWriter } from "./operation-store.ts";

/**
 * Ends work that is under way: what it has fetched or found by then is dropped, and nothing of it takes effect. A call
 * that waits for people is withdrawn. Throws NOT_FOUND, CONFLICT (it is over), and what `cancelRequest` throws.
 */
export async function cancelOperation(
  tx: {
    readonly operations: OperationReader & OperationWriter;
    readonly approvals: ApprovalReader & ApprovalWriter;
    readonly events: EventWriter;
  },
  id: string,
  by: string,
  now: Date,
): Promise<void> {
  const operation = await tx.operations.find(id);
  if (!operation) {
    if (!(await tx.approvals.find(id)))
      throw new HubError("NOT_FOUND", "There is no such operation.", { path: "operationId" });
    await cancelRequest(tx, id, by, now);
    return;
  }
  if (!(await tx.operations.cancel(id, now)))
    throw new HubError("CONFLICT", `It is too late to cancel: the operation is ${operation.state}.`);
  const { kind, subject } = operation;
  await tx.events.emit({
    type: "operations.cancelled",
    subject: `operations/${id}`,
    data: { kind, about: subject, by },
  });
}
