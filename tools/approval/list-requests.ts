import * as z from "zod";
import { requestState, requestSummary } from "../../contracts/approval/request-view.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { listRequests } from "../../server/domain/approvals/read-requests.ts";

export const listApprovalRequests = defineAction({
  name: "system_approval_list_requests",
  title: "List approval requests",
  description:
    "Lists the calls that wait for people, or waited, newest first. Filter by state, action or requester; `mine` shows what you asked for yourself. Use system_approval_get_request for one of them.",
  permission: "system.approval.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    state: requestState.optional().describe("open: waits for people; an overdue one counts as expired"),
    action: z.string().max(64).optional(),
    requesterId: z.uuid().optional().describe("id of the principal that asked"),
    mine: z.boolean().default(false).describe("only your own requests"),
  }),
  output: pageOf(requestSummary),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["state", "mine"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map((r) => `- ${r.id} ${r.state}: ${r.headline}${r.state === "open" ? ` (needs ${r.needs}, until ${r.approvalExpiresAt})` : ""}`).join("\n")}${next ? "\nMore follow: send `cursor`." : ""}`
      : "No request matches.",
  handler: ({ limit, cursor, ...filter }, { read, call }) =>
    listRequests(read.approvals, filter, { limit, cursor }, call.caller, call.now),
});
