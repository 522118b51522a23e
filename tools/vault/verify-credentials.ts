import * as z from "zod";
import { verificationView } from "../../contracts/vault/verification.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { hubTarget, requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { verificationInWords } from "../../server/domain/rotation/rotation-words.ts";
import { getVerification, startVerification } from "../../server/domain/rotation/verification.ts";

export const verifyVaultCredentials = defineAction({
  name: "system_vault_verify_credentials",
  title: "Verify all credentials",
  description:
    "Begins to open every stored credential of every account, without showing or changing any, and to compare each with what its account's journal says was left of it. Follow it with system_vault_get_verification, which names those that do not hold by id. For the hub's own account alone.",
  permission: "system.vault.operate",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({}),
  output: z.strictObject({ verification: verificationView }),
  errors: ["ROTATION_RUNNING"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: (_input, { call }) => hubTarget(call.caller),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ verification }) => verificationInWords(verification),
  begins: ({ verification }) => verification.id,
  handler: async (_input, { tx, call }) => {
    requireHubAccount(call.caller);
    const id = await startVerification(tx, { by: call.caller.principal.id, now: call.now });
    return { verification: await getVerification(tx, id) };
  },
});
