import * as z from "zod";
import { plainText, principalId, principalReference } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { principalTarget } from "../../server/domain/identity/targets.ts";
import { previewUnban, unbanPrincipal as unban } from "../../server/domain/identity/unban-principal.ts";

export const unbanPrincipal = defineAction({
  name: "system_identity_unban_principal",
  title: "Lift a ban",
  description: "Lets a banned principal act again, with the roles that it had. Usually waits for a person's approval.",
  permission: "system.identity.ban",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: z.strictObject({ principalId, reason: plainText(500).describe("why it may act again") }),
  output: z.strictObject({ banId: z.string(), principal: principalReference, liftedAt: z.iso.datetime() }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operator", "Agent", "Service"],
  target: (input, { read }) => principalTarget(read.identity, input.principalId),
  preview: (input, { read, call }) => previewUnban(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ principal }) => `The ${principal.kind} "${principal.name}" can act again.`,
  handler: (input, { tx, call }) => unban(tx, input, call),
});
