import * as z from "zod";
import { rotationId, rotationView } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { rotationTarget } from "../../server/domain/rotation/find-rotation.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { getRotation } from "../../server/domain/rotation/read-rotations.ts";
import { rotationInWords } from "../../server/domain/rotation/rotation-words.ts";

export const getVaultRotation = defineAction({
  name: "system_vault_get_rotation",
  title: "Show a rotation",
  description:
    "How far a rotation of the transit keys is: credentials rotated, skipped, failed and remaining over all accounts, rate and time left, every record that does not open by its id, and what became of its finalization. For the hub's own account alone.",
  permission: "system.vault.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ rotationId }),
  output: z.strictObject({ rotation: rotationView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operation"],
  target: (input, { read }) => rotationTarget(read, input.rotationId),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ rotation }) => rotationInWords(rotation),
  handler: async (input, { read, call }) => {
    requireHubAccount(call.caller);
    return { rotation: await getRotation(read, input.rotationId) };
  },
});
