import * as z from "zod";
import { claimShape, plainText, principalId, principalReference } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { issueToken as issue, previewIssueToken } from "../../server/domain/identity/issue-token.ts";
import { principalTarget } from "../../server/domain/identity/targets.ts";

export const issueToken = defineAction({
  name: "system_identity_issue_token",
  title: "Issue an access token",
  description:
    "Grants a principal an access token. Answers with a claim, never with the token, which is fetched on the command line, once: an operator's by the person that it is, others by the person who asked, whose agent asked, or whom the agent answers to. Usually waits for a person's approval.",
  permission: "system.identity.token",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: z.strictObject({
    principalId,
    note: plainText(200).describe("what it is for: people decide on revoking it by this"),
    validDays: z.int().min(1).max(365).default(90).describe("days that it works, from when it is fetched"),
  }),
  output: claimShape.extend({ principal: principalReference, validDays: z.int() }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["validDays"],
  resource: ["Operator", "Agent", "Service"],
  target: (input, { read }) => principalTarget(read.identity, input.principalId),
  preview: (input, { read, call }) => previewIssueToken(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ principal, next, claimExpiresAt }) =>
    `A token of the ${principal.kind} "${principal.name}" is granted. Fetch it with \`${next}\` before ${claimExpiresAt}.`,
  handler: (input, { tx, call }) => issue(tx, input, call),
});
