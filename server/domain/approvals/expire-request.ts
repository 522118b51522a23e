import type { EventWriter } from "../events/event-store.ts";
import { approvalEvent } from "./approval-events.ts";
import type { ApprovalReader, ApprovalRequest, ApprovalWriter } from "./approval-store.ts";
import { dueAt, stateAt } from "./request-state.ts";

interface Rows {
  readonly approvals: ApprovalReader & ApprovalWriter;
  readonly events: EventWriter;
}

/**
 * Writes down what time has done to a request: nobody decided, or the approved call did not begin; a result that was
 * kept long enough is deleted. Does nothing where nothing is due, so that it may come twice, early or late.
 */
export async function expireRequest(rows: Rows, requestId: string, now: Date): Promise<void> {
  if ((await rows.approvals.find(requestId)) === undefined) return;
  const request = await rows.approvals.lock(requestId);
  if (await endIfOverdue(rows, request, now)) return;
  const due = dueAt(request);
  // the queue's clock is the database's, which may be ahead of this one
  if (due !== undefined) await rows.approvals.enqueueExpiry(requestId, due);
  else await rows.approvals.forgetResult(requestId, now);
}

/** Whether the locked request had run out of time, and is closed now. */
export async function endIfOverdue(rows: Rows, request: ApprovalRequest, now: Date): Promise<boolean> {
  if (request.state === "expired" || stateAt(request, now) !== "expired") return false;
  const errorMessage =
    request.state === "open"
      ? "Nobody decided in time; ask again if it is still wanted."
      : "It was approved, but its execution did not begin in time; ask again if it is still wanted.";
  await rows.approvals.close(request.id, [request.state], {
    state: "expired",
    at: now,
    errorCode: "APPROVAL_EXPIRED",
    errorMessage,
  });
  await rows.events.emit(approvalEvent("expired", request));
  return true;
}
