import type { NewEvent } from "../events/event-store.ts";
import type { ApprovalRequest } from "./approval-store.ts";

/** What happens to a request, as others may follow it; catalogued in contracts/telemetry/events.v1.json. */
export type ApprovalEvent =
  | "requested"
  | "decided"
  | "approved"
  | "denied"
  | "expired"
  | "stale"
  | "cancelled"
  | "executed"
  | "failed";

/** An event says which request, whose and about what; never an input, a preview or a reason. */
export function approvalEvent(
  event: ApprovalEvent,
  request: Pick<ApprovalRequest, "id" | "action"> & { readonly requester: { readonly id: string } },
  data: Readonly<Record<string, string | number>> = {},
): NewEvent {
  return {
    type: `approval.${event}`,
    subject: `approvals/${request.id}`,
    data: { action: request.action, requesterId: request.requester.id, ...data },
  };
}
