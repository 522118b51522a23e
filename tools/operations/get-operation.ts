import * as z from "zod";
import { operationId, operationView } from "../../contracts/operations/operation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { operationTarget } from "../../server/domain/operations/operation-target.ts";
import { operationInWords } from "../../server/domain/operations/operation-words.ts";
import { getOperation } from "../../server/domain/operations/read-operations.ts";

const LONGEST_WAIT_S = 25;

export const getLongOperation = defineAction({
  name: "system_operations_get",
  title: "Follow an operation",
  description:
    "How far long work is: a sync, or a call that waits for people. With waitSeconds the answer comes when it is over, or when that time is up.",
  permission: "system.operations.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    operationId,
    waitSeconds: z
      .int()
      .min(0)
      .max(LONGEST_WAIT_S)
      .default(0)
      .describe(`hold the answer for so long, ${LONGEST_WAIT_S} at most`),
  }),
  output: z.strictObject({ operation: operationView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operation"],
  target: (input, { read }) => operationTarget(read, input.operationId),
  secretOutput: false,
  timeLimitMs: 30_000,
  summary: ({ operation }) => operationInWords(operation),
  handler: async ({ operationId: id, waitSeconds }, { read, services, call }) => {
    const { caller, signal, tell } = call;
    await services.operations.wait(caller, id, { forMs: waitSeconds * 1000, signal, tell });
    return { operation: await getOperation(read, id, call.caller, new Date()) };
  },
});
