import type { ApprovalReader, ApprovalWriter } from "../approvals/approval-store.ts";
import { withdrawRequests } from "../approvals/withdraw-requests.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { Closing, GitopsWriter, Proposal } from "./gitops-store.ts";

export interface ClosingTransaction {
  readonly gitops: GitopsWriter;
  readonly approvals: ApprovalReader & ApprovalWriter;
  readonly events: EventWriter;
}

/** Closes proposals that are locked, and withdraws the requests that wait for people to agree to them. */
export async function closeProposals(
  tx: ClosingTransaction,
  proposals: readonly Proposal[],
  closing: Closing & { readonly reason: string },
): Promise<void> {
  for (const { id, repository, riskClass } of proposals) {
    await tx.gitops.closeProposal(id, closing);
    await withdrawRequests(
      tx,
      { type: "GitopsProposal", id },
      { by: closing.by, at: closing.at, why: `The proposal was ${closing.state}: ${closing.reason}` },
    );
    await tx.events.emit({
      type: `gitops.proposal_${closing.state}`,
      subject: `gitops/proposals/${id}`,
      data: { repository, riskClass, by: closing.by },
    });
  }
}
