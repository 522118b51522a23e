import * as z from "zod";
import { page, pageOf } from "../../contracts/page.ts";
import { rotationId } from "../../contracts/vault/rotation.ts";
import { type WalkedBatchView, walkedBatchView } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listBatches } from "../../server/domain/rotation/list-batches.ts";

const COLUMNS = {
  Batch: ({ no }: WalkedBatchView) => no,
  Call: ({ callId }: WalkedBatchView) => callId,
  Credentials: ({ moved }: WalkedBatchView) => moved.length,
};

export const listVaultBatches = defineAction({
  name: "system_vault_list_batches",
  title: "List what a rotation carried over",
  description:
    "Which of your account's credentials a rotation carried from which version of the key to which, batch by batch, with the salt that opens the commitment in each batch's receipt.",
  permission: "system.vault.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    rotationId,
    ...page,
    limit: z.int().min(1).max(20).default(5).describe("batches at most, of up to 500 credentials each"),
  }),
  output: pageOf(walkedBatchView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "Nothing was carried over here." : shortTable(COLUMNS, items, next !== undefined),
  handler: ({ rotationId: id, ...rest }, { read }) => listBatches(read.rotation, id, rest),
});
