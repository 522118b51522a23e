import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { turnSoak } from "../../server/domain/rotation/follow-up.ts";

export const turnVaultSoak = defineAction({
  name: "system_vault_turn_soak",
  title: "Begin or end a soak",
  description:
    "The hub's own job looks at whether anything is still under the key versions that a finalization puts out of use: if not, the soak begins, or ends where its time is over.",
  permission: "system.vault.walk",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ operationId: rowId, fence: z.int().min(1) }),
  output: z.strictObject({ soakUntil: z.iso.datetime(), soaked: z.boolean() }),
  errors: ["KEY_VERSION_IN_USE"],
  channels: ["job"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ soakUntil, soaked }) => (soaked ? "The soak is over." : `Soaks until ${soakUntil}.`),
  handler: async (input, { tx, call }) => {
    const { soakUntil, soaked } = await turnSoak(tx, input, call.now);
    return { soakUntil: soakUntil.toISOString(), soaked };
  },
});
