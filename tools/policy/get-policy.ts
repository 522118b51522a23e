import * as z from "zod";
import { defineAction } from "../../server/action/define-action.ts";
import { policyView, showPolicy } from "../../server/domain/policy/show-policy.ts";

export const getPolicy = defineAction({
  name: "system_policy_get",
  title: "Read the policy",
  description:
    "Answers the account's policy document: the one in force, or an older version. Its hash stands in every receipt.",
  permission: "system.policy.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ version: z.int().min(1).optional().describe("default: the one in force") }),
  output: policyView,
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: (p) => `Policy version ${p.version}, hash ${p.hash.slice(0, 12)}…, since ${p.createdAt}.`,
  handler: ({ version }, { read }) => showPolicy(read.policy, version),
});
