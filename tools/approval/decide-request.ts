import * as z from "zod";
import { DECISIONS, decisionReason } from "../../contracts/approval/decision.ts";
import { type DecisionTaken, decisionTaken, requestId } from "../../contracts/approval/request-view.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { type Decider, decideRequest } from "../../server/domain/approvals/decide-request.ts";
import { requestTarget } from "../../server/domain/approvals/request-target.ts";

export const decideApprovalRequest = defineAction({
  name: "system_approval_decide_request",
  title: "Approve or reject a request",
  description:
    "A person's decision on a request; agents and services never decide. It should carry the person's signature: `npx countersign approve <id>` (or reject) shows the preview, signs and sends it. Without an envelope only the hub vouches for it, which never counts for two people nor for one's own request. A rejection needs a reason and ends the request.",
  permission: "system.approval.decide",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({
    requestId,
    decision: z.enum(DECISIONS),
    envelope: z
      .union([z.string().min(1).max(20_000), z.record(z.string(), z.unknown())])
      .optional()
      .describe("DSSE envelope around the signed decision statement, as an object or as JSON text"),
    reason: decisionReason.optional().describe("for a rejection required; the one that was signed, if any was"),
  }),
  output: decisionTaken,
  errors: [
    "NOT_FOUND",
    "DECISION_NOT_ALLOWED",
    "DECISION_INVALID",
    "APPROVAL_DECIDED",
    "APPROVAL_EXPIRED",
    "APPROVAL_CANCELLED",
    "APPROVAL_STALE",
  ],
  channels: ["mcp", "http", "cli"],
  policyInput: ["decision"],
  resource: ["ApprovalRequest"],
  target: (input, { read }) => requestTarget(read.approvals, input.requestId),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: inWords,
  handler: (input, { tx, call, services }) => {
    const { caller } = call;
    const holds: Decider["holds"] = (permission, request) => services.approvalDesk.mayHold(caller, permission, request);
    return decideRequest(tx, input, { ...caller, holds }, call.now);
  },
});

function inWords(taken: DecisionTaken): string {
  if (taken.state === "denied") return "Rejected: the call will not be carried out.";
  if (taken.state === "approved") {
    return `Approved: the hub carries the call out now (until ${taken.executionExpiresAt ?? ""}). What came of it: system_approval_get_request ${taken.requestId}.`;
  }
  if (!taken.counts) {
    return `Recorded, but without a signature it does not count here: this needs ${taken.needs}. Sign it: npx countersign approve ${taken.requestId}.`;
  }
  return `Approval recorded, ${taken.approvals} of ${taken.needed}. It waits for the others: ${taken.needs}.`;
}
