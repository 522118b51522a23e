import * as z from "zod";
import { requestId } from "../../contracts/approval/request-view.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { cancelRequest } from "../../server/domain/approvals/cancel-request.ts";
import { requestTarget } from "../../server/domain/approvals/request-target.ts";

export const cancelApprovalRequest = defineAction({
  name: "system_approval_cancel_request",
  title: "Cancel an approval request",
  description:
    "Withdraws a request that is open, or approved and not yet being executed: yours, or any with system.approval.cancel. The call is then not carried out.",
  permission: "system.approval.cancel",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ requestId }),
  output: z.strictObject({ requestId: z.string(), state: z.literal("cancelled") }),
  errors: [
    "NOT_FOUND",
    "APPROVAL_SPENT",
    "APPROVAL_CANCELLED",
    "APPROVAL_DENIED",
    "APPROVAL_EXPIRED",
    "APPROVAL_STALE",
  ],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["ApprovalRequest"],
  target: (input, { read }) => requestTarget(read.approvals, input.requestId),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ requestId }) => `Request ${requestId} is cancelled; its call will not be carried out.`,
  handler: (input, { tx, call }) => cancelRequest(tx, input.requestId, call.caller.principal.id, call.now),
});
