import * as z from "zod";
import { walker } from "../../contracts/vault/walk.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { latestVersion, recordVersion } from "../../server/domain/rotation/rotate-account-key.ts";

export const recordAccountKey = defineAction({
  name: "system_vault_record_account_key",
  title: "Record an account's key version",
  description:
    "The hub's own job puts on record which version of the account's transit key is the latest before a rotation: what tells, after a crash, whether it was rotated.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject(walker),
  output: z.strictObject({ version: z.int() }),
  errors: [],
  channels: ["job"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ version }) => `Version ${version} is the latest before the rotation.`,
  reach: (input, { read, services, call }) =>
    latestVersion(input, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: async (input, { tx, call, reached }) => {
    await recordVersion(tx, input, reached, call.now);
    return { version: reached };
  },
});
