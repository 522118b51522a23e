import * as z from "zod";
import { rotationId, rotationView } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { rotationTarget } from "../../server/domain/rotation/find-rotation.ts";
import { previewFinalization, startFinalization } from "../../server/domain/rotation/follow-up.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { getRotation } from "../../server/domain/rotation/read-rotations.ts";
import { rotationInWords } from "../../server/domain/rotation/rotation-words.ts";

const MONTH_MINUTES = 31 * 24 * 60;

export const finalizeVaultRotation = defineAction({
  name: "system_vault_finalize_rotation",
  title: "Finalise a rotation",
  description:
    "Puts the key versions from before a rotation out of use: at once for what is new, and after a soak for what is there. Refused, with counts, while any credential, waiting call, kept result or backup is still under them; looked at again after the soak. Two people approve. For the hub's own account alone.",
  permission: "system.vault.finalize",
  risk: { effect: "destructive", approval: "two-person", loosens: false },
  input: z.strictObject({
    rotationId,
    soakMinutes: z.int().min(0).max(MONTH_MINUTES).default(1_440).describe("until old versions stop decrypting"),
  }),
  output: z.strictObject({ rotation: rotationView }),
  errors: ["NOT_FOUND", "ROTATION_RUNNING", "KEY_VERSION_IN_USE"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["soakMinutes"],
  resource: ["Operation"],
  target: (input, { read }) => rotationTarget(read, input.rotationId),
  preview: (input, { read, call }) => {
    requireHubAccount(call.caller);
    return previewFinalization(read, input, call.caller.principal.name);
  },
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ rotation }) => rotationInWords(rotation),
  begins: ({ rotation }) => rotation.finalization?.id ?? rotation.id,
  handler: async (input, { tx, call }) => {
    requireHubAccount(call.caller);
    await startFinalization(tx, input, { by: call.caller.principal.id, now: call.now });
    return { rotation: await getRotation(tx, input.rotationId) };
  },
});
