import * as z from "zod";
import { proposalState, proposalSummary } from "../../contracts/gitops/proposal.ts";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { listProposals } from "../../server/domain/gitops/read-proposals.ts";

export const listGitProposals = defineAction({
  name: "system_gitops_list_proposals",
  title: "List proposals",
  description:
    "Lists what commits would change in the fleet, newest first: open, stale (the fleet moved since), applied, rejected, superseded.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ repository: repositoryName.optional(), state: proposalState.optional(), ...page }),
  output: pageOf(proposalSummary),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository", "state"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ items }) =>
    items.length === 0
      ? "No proposals."
      : items.map((p) => `${p.id} ${p.repository} ${p.riskClass} ${p.state}: ${shown(p.words)}`).join("\n"),
  handler: ({ repository, state, ...rest }, { read }) => listProposals(read.gitops, { repository, state }, rest),
});
