import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { finishWalk } from "../../server/domain/rotation/finish-walk.ts";

export const finishVaultWalk = defineAction({
  name: "system_vault_finish_walk",
  title: "End work on all accounts' keys",
  description:
    "The hub's own job ends a rotation, a verification, a finalization or a trimming that came through all accounts, after looking once more at whether it did.",
  permission: "system.vault.walk",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ operationId: rowId, fence: z.int().min(1) }),
  output: z.strictObject({ sentence: z.string() }),
  errors: [],
  channels: ["job"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ sentence }) => sentence,
  handler: async (input, { tx, call }) => ({ sentence: await finishWalk(tx, input, call.now) }),
});
