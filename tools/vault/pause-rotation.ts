import * as z from "zod";
import { rotationId, rotationView } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { rotationTarget } from "../../server/domain/rotation/find-rotation.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { pauseRotation } from "../../server/domain/rotation/pause-rotation.ts";
import { getRotation } from "../../server/domain/rotation/read-rotations.ts";
import { rotationInWords } from "../../server/domain/rotation/rotation-words.ts";

export const pauseVaultRotation = defineAction({
  name: "system_vault_pause_rotation",
  title: "Pause a rotation",
  description:
    "The walk of a rotation stops before its next batch and keeps its place; both versions of the keys stay readable. It goes on with system_vault_resume_rotation. For the hub's own account alone.",
  permission: "system.vault.operate",
  risk: { effect: "write", approval: "none", loosens: false },
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
  handler: async (input, { tx, call }) => {
    requireHubAccount(call.caller);
    await pauseRotation(tx, input.rotationId, { by: call.caller.principal.id, now: call.now });
    return { rotation: await getRotation(tx, input.rotationId) };
  },
});
