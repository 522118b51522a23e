import * as z from "zod";
import { type RequestSummary, requestState, requestSummary } from "../../contracts/approval/request-view.ts";
import { rowId } from "../../contracts/formats/row-id.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listRequests } from "../../server/domain/approvals/read-requests.ts";

const COLUMNS = {
  Request: ({ id }: RequestSummary) => id,
  State: ({ state }: RequestSummary) => state,
  "What would happen": ({ headline }: RequestSummary) => headline,
  "Asked by": ({ requester }: RequestSummary) => requester.name,
  Needs: ({ needs, state }: RequestSummary) => (state === "open" ? needs : null),
  Until: ({ approvalExpiresAt, state }: RequestSummary) => (state === "open" ? approvalExpiresAt : null),
};

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
    requesterId: rowId.optional().describe("id of the principal that asked"),
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
    items.length === 0
      ? "No request matches."
      : `${shortTable(COLUMNS, items, next !== undefined)}\nOne in full: system_approval_get_request. People decide: npx countersign approve <id>.`,
  links: ({ items }) => items.map(({ id }) => `approvals/${id}`),
  handler: ({ limit, cursor, ...filter }, { read, call }) =>
    listRequests(read.approvals, filter, { limit, cursor }, call.caller, call.now),
});
