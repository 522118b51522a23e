import type { ProposalSummary } from "../../../contracts/gitops/proposal.ts";
import { refuseClosed } from "./apply-proposal.ts";
import { type ClosingTransaction, closeProposals } from "./close-proposal.ts";
import { findProposal } from "./find-repository.ts";
import type { GitopsReader, GitopsWriter } from "./gitops-store.ts";
import { proposalView } from "./views.ts";

/**
 * Turns a proposal down. The same content is not proposed again; a new commit or a change of the fleet is another
 * matter. Requests to apply it are withdrawn. Throws NOT_FOUND, PROPOSAL_CLOSED.
 */
export async function rejectProposal(
  tx: ClosingTransaction & { readonly gitops: GitopsReader & GitopsWriter },
  { proposalId, reason }: { readonly proposalId: string; readonly reason: string },
  by: string,
  now: Date,
): Promise<ProposalSummary> {
  const proposal = await tx.gitops.lockProposal(proposalId);
  refuseClosed(proposal);
  await closeProposals(tx, [proposal], { state: "rejected", at: now, by, reason });
  return proposalView(await findProposal(tx.gitops, proposalId));
}
