import * as z from "zod";
import { type RequestDetail, requestDetail, requestId } from "../../contracts/approval/request-view.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapeText } from "../../server/domain/approvals/escape-preview.ts";
import { showRequest } from "../../server/domain/approvals/read-requests.ts";
import { requestTarget } from "../../server/domain/approvals/request-target.ts";

export const getApprovalRequest = defineAction({
  name: "system_approval_get_request",
  title: "Get an approval request",
  description:
    "Shows one request: what would change, who asks, who has to agree, what was decided, and when it expires. Whoever asked also gets the result of the executed call, or why there is none. To approve or reject, a person signs with `npx countersign approve <id>`.",
  permission: "system.approval.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ requestId }),
  output: requestDetail,
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["ApprovalRequest"],
  target: (input, { read }) => requestTarget(read.approvals, input.requestId),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: inWords,
  handler: (input, { read, call, services }) =>
    showRequest(read.approvals, input.requestId, call.caller, call.now, (request) =>
      services.approvalDesk.openResult(call.caller.account.id, request),
    ),
});

function inWords(request: RequestDetail): string {
  const changes = request.changes.map(({ field, before, after }) =>
    before === undefined && after === undefined
      ? `- ${field}`
      : `- ${field}: ${before ?? "(none)"} -> ${after ?? "(none)"}`,
  );
  const decisions = request.decisions.map(
    (d) =>
      `${d.person.name}: ${d.decision} (${d.assurance})${d.reason === undefined ? "" : `, "${escapeText(d.reason)}"`}`,
  );
  return [
    request.headline,
    ...changes,
    `State: ${request.state}${request.errorCode === undefined ? "" : ` (${request.errorCode})`}. Asked by ${request.requester.name} (${request.requester.kind}) for ${request.action}. Needs ${request.needs}.`,
    ...(decisions.length > 0 ? [`Decisions: ${decisions.join("; ")}.`] : []),
    nextStep(request),
  ].join("\n");
}

function nextStep(request: RequestDetail): string {
  switch (request.state) {
    case "open":
      return `To decide until ${request.approvalExpiresAt}: npx countersign approve ${request.id} (or reject).`;
    case "approved":
    case "executing":
      return "The hub carries it out now; ask again in a moment.";
    case "executed":
      return request.yours?.result === undefined
        ? "It was carried out."
        : "It was carried out; `yours.result` holds what came of it.";
    case "ambiguous":
      return "The hub was cut off while carrying it out, and it is not repeated by itself: look at its target before asking again.";
    default:
      return `${request.yours?.message ?? "It was not carried out."} Ask again if it is still wanted.`;
  }
}
