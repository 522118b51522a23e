import * as z from "zod";
import { type ProposalSummary, proposalState, proposalSummary } from "../../contracts/gitops/proposal.ts";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { listProposals } from "../../server/domain/gitops/read-proposals.ts";

const COLUMNS = {
  Proposal: ({ id }: ProposalSummary) => id,
  Repository: ({ repository }: ProposalSummary) => repository,
  Risk: ({ riskClass }: ProposalSummary) => riskClass,
  State: ({ state }: ProposalSummary) => state,
  "What it would do": ({ words }: ProposalSummary) => shown(words),
};

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
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0
      ? "No proposals."
      : `${shortTable(COLUMNS, items, next !== undefined)}\nOne object by object: system_gitops_get_proposal.`,
  links: ({ items }) => items.map(({ id }) => `gitops/proposals/${id}`),
  handler: ({ repository, state, ...rest }, { read }) => listProposals(read.gitops, { repository, state }, rest),
});
