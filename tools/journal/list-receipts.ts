import * as z from "zod";
import { receiptSummary } from "../../contracts/evidence/receipt.ts";
import { rowId } from "../../contracts/formats/row-id.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { listReceipts } from "../../server/domain/evidence/list-receipts.ts";

export const listJournalReceipts = defineAction({
  name: "system_journal_list_receipts",
  title: "List receipts",
  description:
    "Lists the receipts of this account's calls, newest first by position in the account's log. Filter by action, principal, call or code.",
  permission: "system.journal.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    action: z.string().max(64).optional(),
    principalId: rowId.optional(),
    callId: rowId.optional(),
    code: z.string().max(64).optional().describe("OK, or an error code"),
  }),
  output: pageOf(receiptSummary),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["action", "principalId"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map((r) => `- ${r.position} ${r.at} ${r.action} ${r.phase} ${r.code} ${r.id}`).join("\n")}${next ? "\nMore follow: send `cursor`." : ""}`
      : "No receipt matches.",
  links: ({ items }) => items.map(({ id }) => `receipts/${id}`),
  handler: ({ limit, cursor, ...filter }, { read }) => listReceipts(read.receipts, filter, { limit, cursor }),
});
