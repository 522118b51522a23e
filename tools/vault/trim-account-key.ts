import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { recordTrim, trimKey } from "../../server/domain/rotation/raise-floor.ts";

export const trimAccountKey = defineAction({
  name: "system_vault_trim_account_key",
  title: "Destroy an account's old key versions",
  description: "The hub's own job destroys the versions of the account's key from before a finalised rotation.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({ rotationId: rowId }),
  output: z.strictObject({ oldest: z.int().describe("version that is left") }),
  errors: ["NOT_FOUND"],
  channels: ["job"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ oldest }) => `The oldest version left is ${oldest}.`,
  reach: ({ rotationId }, { read, services, call }) =>
    trimKey(rotationId, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: async ({ rotationId }, { tx, call, reached }) => {
    await recordTrim(tx, rotationId, reached, call.now);
    return { oldest: reached };
  },
});
