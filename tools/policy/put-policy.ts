import * as z from "zod";
import { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { previewPolicy, putPolicy } from "../../server/domain/policy/put-policy.ts";

export const putAccountPolicy = defineAction({
  name: "system_policy_put",
  title: "Change the policy",
  description:
    "Puts a new policy document in force. Two people must approve; the change is judged by the policy in force before it. Lint and simulate first.",
  permission: "system.policy.write",
  risk: { effect: "destructive", approval: "two-person", loosens: false },
  input: z.strictObject({ document: PolicyDocument, baseVersion: z.int().min(1).describe("the version you changed") }),
  output: z.strictObject({ version: z.int(), hash: z.string() }),
  errors: ["POLICY_INVALID", "VERSION_CONFLICT", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["baseVersion"],
  resource: ["Account"],
  target: async (_input, { read, call }) => ({
    type: "Account",
    id: call.caller.account.id,
    version: `policy-${(await read.policy.current()).version}`,
  }),
  preview: (input, { read, services, call }) =>
    previewPolicy(read.policy, services.policyChecker, input, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 15_000,
  summary: (p) => `Policy version ${p.version} is in force (hash ${p.hash.slice(0, 12)}…).`,
  handler: (input, { tx, services, call }) => putPolicy(tx, services.policyChecker, input, call.caller.principal.id),
});
