import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { proposalSummary } from "../../contracts/gitops/proposal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { rejectProposal } from "../../server/domain/gitops/reject-proposal.ts";
import { proposalTarget } from "../../server/domain/gitops/targets.ts";

export const rejectGitProposal = defineAction({
  name: "system_gitops_reject_proposal",
  title: "Reject a proposal",
  description:
    "Turns a proposal down, with a reason that others read. The same content is not proposed again; a new commit is. For people: agents cannot.",
  permission: "system.gitops.reject",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({
    proposalId: rowId,
    reason: z.string().trim().min(3).max(1_000).describe("why; whoever committed it reads this"),
  }),
  output: z.strictObject({ proposal: proposalSummary }),
  errors: ["NOT_FOUND", "PROPOSAL_CLOSED"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["GitopsProposal"],
  target: ({ proposalId }, { read }) => proposalTarget(read, { proposalId }),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ proposal }) =>
    `Proposal ${proposal.id} of ${proposal.repository} is rejected: ${shown(proposal.reason ?? "")}`,
  handler: async (input, { tx, call }) => ({
    proposal: await rejectProposal(tx, input, call.caller.principal.id, call.now),
  }),
});
