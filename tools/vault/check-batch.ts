import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { batchSize, MOST_ITEMS } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { checkBatch } from "../../server/domain/rotation/check-batch.ts";

export const checkCredentialBatch = defineAction({
  name: "system_vault_check_batch",
  title: "Verify some credentials",
  description:
    "The hub's own job opens the next credentials of the account, and compares each with what the journal says was left of it. Changes nothing and shows nothing.",
  permission: "system.vault.walk",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ after: rowId.optional(), lostAfter: z.string().max(200).optional(), size: batchSize }),
  output: z.strictObject({
    checked: z.int(),
    opened: z.int(),
    waiting: z.int(),
    findings: z.array(z.strictObject({ id: z.string(), code: z.string() })).max(2 * MOST_ITEMS),
    last: z.string().nullable(),
    lostAfter: z.string().nullable(),
    finished: z.boolean(),
  }),
  errors: [],
  channels: ["job"],
  policyInput: ["size"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ opened, waiting, findings }) =>
    `${opened} opened, ${waiting} without a secret yet, ${findings.length} do not hold.`,
  handler: (input, { read, services }) => checkBatch(read.credentials, input, services.accountKeys),
});
