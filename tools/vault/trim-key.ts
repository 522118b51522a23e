import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { operationView } from "../../contracts/operations/operation.ts";
import { rotationId } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { operationInWords } from "../../server/domain/operations/operation-words.ts";
import { getOperation } from "../../server/domain/operations/read-operations.ts";
import { rotationTarget } from "../../server/domain/rotation/find-rotation.ts";
import { previewTrimming, startTrimming } from "../../server/domain/rotation/follow-up.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";

export const trimVaultKey = defineAction({
  name: "system_vault_trim_key",
  title: "Destroy old key versions",
  description:
    "Destroys the key versions from before a finalised rotation, for ever, in all accounts or in one. Two people approve. Answers with the operation that has begun. For the hub's own account alone.",
  permission: "system.vault.trim",
  risk: { effect: "destructive", approval: "two-person", loosens: false },
  input: z.strictObject({ rotationId, accountId: rowId.optional().describe("this account's key alone") }),
  output: z.strictObject({ operation: operationView }),
  errors: ["NOT_FOUND", "ROTATION_RUNNING", "KEY_VERSION_IN_USE"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operation"],
  target: (input, { read }) => rotationTarget(read, input.rotationId),
  preview: (input, { read, call }) => {
    requireHubAccount(call.caller);
    return previewTrimming(read, input, call.caller.principal.name);
  },
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ operation }) => operationInWords(operation),
  begins: ({ operation }) => operation.id,
  handler: async (input, { tx, call }) => {
    requireHubAccount(call.caller);
    const id = await startTrimming(tx, input, { by: call.caller.principal.id, now: call.now });
    return { operation: await getOperation(tx, id, call.caller, call.now) };
  },
});
