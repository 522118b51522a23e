import * as z from "zod";
import { operationId, operationView } from "../../contracts/operations/operation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { cancelOperation } from "../../server/domain/operations/cancel-operation.ts";
import { operationTarget } from "../../server/domain/operations/operation-target.ts";
import { operationInWords } from "../../server/domain/operations/operation-words.ts";
import { getOperation } from "../../server/domain/operations/read-operations.ts";

export const cancelLongOperation = defineAction({
  name: "system_operations_cancel",
  title: "Cancel an operation",
  description:
    "Calls off long work that is not over: nothing of it takes effect. A call that waits for people is withdrawn. Agents cancel their own alone.",
  permission: "system.operations.cancel",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ operationId }),
  output: z.strictObject({ operation: operationView }),
  errors: [
    "NOT_FOUND",
    "APPROVAL_SPENT",
    "APPROVAL_CANCELLED",
    "APPROVAL_DENIED",
    "APPROVAL_EXPIRED",
    "APPROVAL_STALE",
  ],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operation"],
  target: (input, { read }) => operationTarget(read, input.operationId),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ operation }) => operationInWords(operation),
  handler: async (input, { tx, call }) => {
    await cancelOperation(tx, input.operationId, call.caller.principal.id, call.now);
    return { operation: await getOperation(tx, input.operationId, call.caller, call.now) };
  },
});
