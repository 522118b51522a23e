import * as z from "zod";
import { receiptId } from "../../contracts/evidence/receipt.ts";
import { receiptProof } from "../../contracts/formats/receipt-proof.ts";
import { defineAction } from "../../server/action/define-action.ts";

export const getJournalReceipt = defineAction({
  name: "system_journal_get_receipt",
  title: "Read a receipt with its proof",
  description:
    "Answers one receipt: the signed statement and what proves it (place in its lane, the commit's signature, the certificate of the process key, the account's root key).",
  permission: "system.journal.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ id: receiptId }),
  output: receiptProof,
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ receipt, lane }) =>
    `${receipt.id}: ${receipt.action} ${receipt.phase} ${receipt.code} at ${receipt.at}, entry ${lane.sequence} of lane ${lane.origin}.`,
  handler: ({ id }, { read }) => read.receipts.prove(id),
});
