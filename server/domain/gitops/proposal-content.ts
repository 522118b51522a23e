import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import type { RiskClass } from "../../../contracts/gitops/proposal.ts";
import type { ProposedItem } from "./gitops-store.ts";

/** Everything that an approval of a proposal is an approval of. */
export interface ProposalContent {
  readonly repositoryId: string;
  readonly commitId: string;
  readonly riskClass: RiskClass;
  readonly items: readonly ProposedItem[];
}

/**
 * RFC 8785; its salted commitment (contracts/formats/commitment.ts) is the proposal's digest, which leaves the hub in
 * receipts. The same content has the same text, whichever sync found it. */
export function contentText({ repositoryId, commitId, riskClass, items }: ProposalContent): string {
  return canonicalize({
    repositoryId,
    commit: commitId,
    riskClass,
    items: items.map(({ action, kind, name, base, after }) => ({
      action,
      kind,
      name,
      base: base ?? null,
      after: after ?? null,
    })),
  } as unknown as Json);
}
