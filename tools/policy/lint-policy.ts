import * as z from "zod";
import { defineAction } from "../../server/action/define-action.ts";
import { lintPolicy, policyLint } from "../../server/domain/policy/lint-policy.ts";

export const lintAccountPolicy = defineAction({
  name: "system_policy_lint",
  title: "Check a policy document",
  description:
    "Checks a policy document as strictly as putting it in force would, and answers every problem with its place. Changes nothing.",
  permission: "system.policy.simulate",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ document: z.record(z.string(), z.unknown()).describe("the document as it would be put") }),
  output: policyLint,
  errors: [],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 15_000,
  summary: (l) =>
    l.ok ? `The document is valid (hash ${l.hash?.slice(0, 12)}…).` : l.problems.map((p) => `- ${p.words}`).join("\n"),
  handler: ({ document }, { services }) => lintPolicy(services.policyChecker, document),
});
