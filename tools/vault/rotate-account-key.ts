import * as z from "zod";
import { walker } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { recordRotation, rotateOnce } from "../../server/domain/rotation/rotate-account-key.ts";

export const rotateAccountKey = defineAction({
  name: "system_vault_rotate_account_key",
  title: "Rotate an account's key",
  description:
    "The hub's own job makes the next version of the account's transit key, unless one later than the one on record is there already.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject(walker),
  output: z.strictObject({
    from: z.int(),
    to: z.int(),
    finished: z.boolean().describe("nothing of the account's is left to carry over"),
  }),
  errors: ["NOT_FOUND"],
  channels: ["job"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ from, to }) => `Rotated from version ${from} to ${to}.`,
  reach: (input, { read, services, call }) =>
    rotateOnce(input, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: (input, { tx, call, reached }) => recordRotation(tx, input, reached, call.now),
});
