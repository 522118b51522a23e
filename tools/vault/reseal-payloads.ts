import * as z from "zod";
import { batchSize, failedRecord, MOST_ITEMS, walker } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { recordResealed, resealPayloads } from "../../server/domain/rotation/reseal-payloads.ts";

export const resealHeldPayloads = defineAction({
  name: "system_vault_reseal_payloads",
  title: "Carry held payloads over",
  description:
    "The hub's own job carries inputs that wait for approval, and results that are kept for whoever asked, over to the new version of the account's key.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({ ...walker, size: batchSize }),
  output: z.strictObject({
    resealed: z.int(),
    failed: z.array(failedRecord).max(MOST_ITEMS),
    finished: z.boolean(),
  }),
  errors: ["NOT_FOUND"],
  channels: ["job"],
  policyInput: ["size"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ resealed, failed }) => `${resealed} payloads carried over, ${failed.length} failed.`,
  reach: (input, { read, services, call }) =>
    resealPayloads(input, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: (input, { tx, call, reached }) => recordResealed(tx, input, reached, call.now),
});
