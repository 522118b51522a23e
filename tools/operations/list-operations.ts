import * as z from "zod";
import { operationView } from "../../contracts/operations/operation.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { operationInWords } from "../../server/domain/operations/operation-words.ts";
import { listOperations } from "../../server/domain/operations/read-operations.ts";

export const listLongOperations = defineAction({
  name: "system_operations_list",
  title: "List operations",
  description: "Lists long work, newest first: syncs, and calls that wait for people. `mine` shows your own alone.",
  permission: "system.operations.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ mine: z.boolean().default(false).describe("only what you asked for"), ...page }),
  output: pageOf(operationView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["mine"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items }) => (items.length === 0 ? "No operations." : items.map(operationInWords).join("\n")),
  handler: ({ mine, ...rest }, { read, call }) =>
    listOperations(read, { requesterId: mine ? call.caller.principal.id : undefined }, rest, call.caller, call.now),
});
