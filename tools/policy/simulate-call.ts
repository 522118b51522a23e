import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { simulateCall } from "../../server/action/simulate.ts";

// of a document policies see that there is one: whether it may be asked about is decided by that alone
const shownToPolicies = z.strictObject({
  action: z.string().max(64),
  as: rowId.optional(),
  document: z.strictObject({ kind: z.literal("Policy") }).optional(),
});

export const simulatePolicy = defineAction({
  name: "system_policy_simulate",
  title: "Would this call be allowed?",
  description:
    "Answers whether a call would run, need confirmation or approval, or be refused, and which policies say so. Nothing runs. Judge as another principal with `as`, or by a document that is not in force yet with `document`: both are for people, agents and services ask about themselves.",
  permission: "system.policy.simulate",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    action: z.string().max(64),
    input: z.record(z.string(), z.unknown()).default({}),
    as: rowId.optional().describe("id of another principal of this account"),
    document: PolicyDocument.optional().describe("judge by this document instead of the one in force"),
  }),
  output: z.strictObject({
    outcome: z.enum(["runs", "needs-confirmation", "needs-approval", "refused"]),
    code: z.string().optional(),
    words: z.string(),
    policies: z.array(z.strictObject({ id: z.string(), why: z.string() })),
    needs: z.strictObject({ people: z.int(), holding: z.array(z.string()), rules: z.array(z.string()) }).optional(),
  }),
  errors: ["POLICY_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: shownToPolicies,
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 15_000,
  summary: (s) => `${s.outcome}${s.code ? ` (${s.code})` : ""}: ${s.words}`,
  handler: (input, { call, services }) => simulateCall(services, call.caller, input),
});
