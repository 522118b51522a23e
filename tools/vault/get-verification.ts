import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { verificationView } from "../../contracts/vault/verification.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { rotationTarget } from "../../server/domain/rotation/find-rotation.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";
import { verificationInWords } from "../../server/domain/rotation/rotation-words.ts";
import { getVerification } from "../../server/domain/rotation/verification.ts";

export const getVaultVerification = defineAction({
  name: "system_vault_get_verification",
  title: "Show a verification",
  description:
    "How far a verification of all credentials is, and every credential that does not hold: by id, with why. For the hub's own account alone.",
  permission: "system.vault.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ verificationId: rowId.describe("as system_vault_verify_credentials answered") }),
  output: z.strictObject({ verification: verificationView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operation"],
  target: (input, { read }) => rotationTarget(read, input.verificationId),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ verification }) => verificationInWords(verification),
  handler: async (input, { read, call }) => {
    requireHubAccount(call.caller);
    return { verification: await getVerification(read, input.verificationId) };
  },
});
