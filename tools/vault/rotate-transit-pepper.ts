import * as z from "zod";
import { rotationView } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { hubTarget, requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { getRotation } from "../../server/domain/rotation/read-rotations.ts";
import { rotationInWords } from "../../server/domain/rotation/rotation-words.ts";
import { previewRotation, startRotation } from "../../server/domain/rotation/start-rotation.ts";

export const rotateVaultTransitPepper = defineAction({
  name: "system_rotate_vault_transit_pepper",
  title: "Rotate the transit pepper",
  description:
    "Rotates the key that wraps the stored credentials, in every account, and carries all of them over to the new version while they stay in use. For the hub's own account alone; two people approve. Answers with a rotation that has begun: follow it with system_vault_get_rotation. Old versions stay readable until system_vault_finalize_rotation; system_operations_cancel stops it with both readable.",
  permission: "system.fleet.autonomy",
  risk: { effect: "write", approval: "two-person", loosens: false },
  input: z.strictObject({
    ratePerSecond: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe("credentials a second at most; without it, as fast as it goes"),
  }),
  output: z.strictObject({ rotation: rotationView }),
  errors: ["ROTATION_RUNNING"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["ratePerSecond"],
  resource: ["Account"],
  target: (_input, { call }) => hubTarget(call.caller),
  preview: (input, { read, call }) => {
    requireHubAccount(call.caller);
    return previewRotation(read, input, call.caller.principal.name);
  },
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ rotation }) => rotationInWords(rotation),
  begins: ({ rotation }) => rotation.id,
  handler: async (input, { tx, call }) => {
    requireHubAccount(call.caller);
    const id = await startRotation(tx, input, { by: call.caller.principal.id, now: call.now });
    return { rotation: await getRotation(tx, id) };
  },
});
