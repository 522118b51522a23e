import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { raiseFloor, recordFloor } from "../../server/domain/rotation/raise-floor.ts";

export const raiseKeyFloor = defineAction({
  name: "system_vault_raise_key_floor",
  title: "Put an account's old key versions out of use",
  description:
    "The hub's own job raises the least version of the account's key: for what is encrypted anew, or for what decrypts, which is refused while anything of the account's is below.",
  permission: "system.vault.walk",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({ rotationId: rowId, floor: z.enum(["encryption", "decryption"]) }),
  output: z.strictObject({ floor: z.enum(["encryption", "decryption"]), version: z.int() }),
  errors: ["NOT_FOUND", "KEY_VERSION_IN_USE"],
  channels: ["job"],
  policyInput: ["floor"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ floor, version }) => `Least version for ${floor}: ${version}.`,
  reach: (input, { read, services, call }) =>
    raiseFloor(input, {
      look: (fn) => read(({ rotation }) => fn(rotation)),
      keys: services.accountKeys,
      accountId: call.caller.account.id,
    }),
  handler: async (input, { tx, call, reached }) => {
    await recordFloor(tx, input, reached, call.now);
    return { floor: input.floor, version: reached };
  },
});
