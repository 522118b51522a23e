import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { appliedObject, proposalSummary } from "../../contracts/gitops/proposal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { changedBy } from "../../server/domain/fleet/change-fleet.ts";
import { applyProposal, callsOf, previewApply } from "../../server/domain/gitops/apply-proposal.ts";
import { proposalTarget } from "../../server/domain/gitops/targets.ts";
import { appliedView, proposalView } from "../../server/domain/gitops/views.ts";

const MOST_SHOWN = 200;

export const applyGitProposal = defineAction({
  name: "system_gitops_apply_proposal",
  title: "Apply a proposal",
  description:
    "Makes the fleet what a proposal says, all of it or nothing. Refused as stale where an object moved since the proposal was made; with force it is overwritten, which two people must agree to. Waits for a person's approval. Whoever asks needs the rights to put or delete each of its objects.",
  permission: "system.gitops.apply",
  risk: { effect: "destructive", approval: "approve", loosens: false, raises: { force: "two-person" } },
  input: z.strictObject({
    proposalId: rowId,
    force: z.boolean().default(false).describe("overwrite objects that others changed since; two people must agree"),
  }),
  output: z.strictObject({
    proposal: proposalSummary,
    changed: z.int().describe("objects that are not as they were"),
    objects: z.array(appliedObject).describe(`${MOST_SHOWN} at most; the proposal has them all`),
  }),
  errors: [
    "NOT_FOUND",
    "PROPOSAL_CLOSED",
    "PROPOSAL_STALE",
    "OWNED_ELSEWHERE",
    "REFERENCE_MISSING",
    "IN_USE",
    "ALREADY_EXISTS",
    "VERSION_CONFLICT",
  ],
  channels: ["mcp", "http", "cli"],
  policyInput: ["force"],
  resource: ["GitopsProposal"],
  target: (input, { read }) => proposalTarget(read, input),
  amountsTo: (input, { read }) => callsOf(read, input),
  preview: (input, { read, call }) => previewApply(read, input, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 60_000,
  summary: ({ proposal, changed }) =>
    `Applied: ${changed} of ${proposal.items} objects changed, as commit ${proposal.commit.id.slice(0, 10)} of ${proposal.repository} declares them.`,
  links: ({ proposal, objects }) => [
    `gitops/proposals/${proposal.id}`,
    ...objects.flatMap(({ change, kind, name }) => (change === "deleted" ? [] : [`fleet/${kind}/${name}`])),
  ],
  handler: async (input, { tx, call, target }) => {
    const applying = { by: changedBy(call), now: call.now, agreed: target.version };
    const { proposal, changed } = await applyProposal(tx, input, applying);
    return {
      proposal: proposalView(proposal),
      changed: changed.filter(({ change }) => change !== "unchanged").length,
      objects: changed.slice(0, MOST_SHOWN).map(appliedView),
    };
  },
});
