import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { movedObject, proposalItem, proposalSummary } from "../../contracts/gitops/proposal.ts";
import { page } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { getProposal } from "../../server/domain/gitops/read-proposals.ts";
import { proposalTarget } from "../../server/domain/gitops/targets.ts";

export const getGitProposal = defineAction({
  name: "system_gitops_get_proposal",
  title: "Show a proposal",
  description:
    "What one proposal would do, object by object and field by field, in plain words. Where it is stale: what happened to its objects since, seen three ways (base, live, desired).",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ proposalId: rowId, ...page }),
  output: z.strictObject({
    proposal: proposalSummary,
    salt: z.string().describe("base64; with the content it opens the digest: SHA-256(salt || content)"),
    items: z.array(proposalItem).describe("by kind, then name"),
    moved: z.array(movedObject),
    next: z.string().optional().describe("send it as `cursor` for the next page of items"),
  }),
  errors: ["NOT_FOUND", "CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["GitopsProposal"],
  target: ({ proposalId }, { read }) => proposalTarget(read, { proposalId }),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ proposal, items, moved, next }) =>
    [
      `Proposal ${proposal.id} of ${proposal.repository}: ${proposal.state}. ${shown(proposal.words)}`,
      ...items.map(({ words }) => `- ${shown(words)}`),
      ...(next === undefined ? [] : ["- and more on the next page"]),
      ...moved.map(({ words }) => `Moved since: ${shown(words)}`),
    ].join("\n"),
  links: ({ proposal: { repository, runId } }) => [`gitops/repositories/${repository}`, `gitops/sync-runs/${runId}`],
  handler: ({ proposalId, ...rest }, { read }) => getProposal(read, proposalId, rest),
});
