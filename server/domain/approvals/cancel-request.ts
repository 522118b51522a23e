import type { EventWriter } from "../events/event-store.ts";
import { approvalEvent } from "./approval-events.ts";
import type { ApprovalReader, ApprovalWriter } from "./approval-store.ts";
import { closedForCancel, stateAt } from "./request-state.ts";

/**
 * Withdraws a request before its call is executed. Who may was decided by the gate. Throws NOT_FOUND, APPROVAL_SPENT
 * (it is being executed, or was), APPROVAL_CANCELLED, APPROVAL_DENIED, APPROVAL_EXPIRED, APPROVAL_STALE.
 */
export async function cancelRequest(
  rows: { readonly approvals: ApprovalReader & ApprovalWriter; readonly events: EventWriter },
  requestId: string,
  by: string,
  now: Date,
): Promise<{ requestId: string; state: "cancelled" }> {
  // locked: the intent of an execution waits for this row, or this waits for it
  const request = await rows.approvals.lock(requestId);
  const state = stateAt(request, now);
  if (state !== "open" && state !== "approved") throw closedForCancel(state);
  await rows.approvals.close(request.id, ["open", "approved"], {
    state: "cancelled",
    at: now,
    errorCode: "APPROVAL_CANCELLED",
    errorMessage: "The request was cancelled.",
  });
  await rows.events.emit(approvalEvent("cancelled", request, { by }));
  return { requestId: request.id, state: "cancelled" };
}
