import type { EventWriter } from "../events/event-store.ts";
import { approvalEvent } from "./approval-events.ts";
import type { ApprovalReader, ApprovalWriter } from "./approval-store.ts";

/** Cancels every request about a thing that is over; whoever asked reads why. Answers with how many there were. */
export async function withdrawRequests(
  rows: { readonly approvals: ApprovalReader & ApprovalWriter; readonly events: EventWriter },
  target: { readonly type: string; readonly id: string },
  { by, at, why }: { readonly by: string; readonly at: Date; readonly why: string },
): Promise<number> {
  const pending = await rows.approvals.pendingAbout(target.type, target.id);
  for (const request of pending) {
    await rows.approvals.close(request.id, ["open", "approved"], {
      state: "cancelled",
      at,
      errorCode: "APPROVAL_CANCELLED",
      errorMessage: why,
    });
    await rows.events.emit(approvalEvent("cancelled", request, { by }));
  }
  return pending.length;
}
