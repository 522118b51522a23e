import { parseRequest } from "../../contracts/approval/request.ts";
import { digest } from "../../contracts/formats/canonical-json.ts";
import { opens } from "../../contracts/formats/commitment.ts";
import type { HeldCall } from "../action/approvals.ts";
import type { ApprovalDecision, ApprovalRequest } from "../domain/approvals/approval-store.ts";
import type { ApprovalRecord } from "../domain/evidence/call-record.ts";
import { HubError } from "../errors.ts";
import { type Cipher, openHeld } from "./held-call.ts";

/**
 * An approved request as what it was signed for: every fact is taken from the statement that people signed and from the
 * input that it commits to, none from columns beside it. Throws APPROVAL_STALE where the two do not belong together.
 */
export async function heldCallOf(
  keys: Cipher,
  accountId: string,
  request: ApprovalRequest,
  decisions: readonly ApprovalDecision[],
): Promise<HeldCall> {
  if (request.held === undefined) throw new Error("cannot happen: an approved request holds nothing");
  const { requestId, digest: signed, predicate } = parseRequest(request.statement);
  const facts = await openHeld(keys, accountId, request.id, request.held);
  const isWhole =
    requestId === request.id &&
    signed === request.statementDigest &&
    predicate.account === accountId &&
    predicate.previewDigest === digest(request.preview) &&
    opens(predicate.inputCommitment, facts.salt, Buffer.from(facts.input));
  if (!isWhole) {
    throw new HubError("APPROVAL_STALE", "The request is not any more what people agreed to: its rows were changed.");
  }
  const { type, id, version } = predicate.target;
  const { input, ...rest } = facts;
  return {
    ...rest,
    requestId,
    accountId,
    requesterId: predicate.requester.id,
    action: predicate.action,
    schemaDigest: predicate.toolSchemaDigest,
    canonicalInput: input,
    demand: { ...request.demand, people: peopleOf(predicate.demand.people), holding: predicate.demand.holding },
    policyHash: predicate.policyHash,
    target: { type, id, ...(version !== undefined && { version }) },
    approval: recordOf(request, predicate, decisions),
  };
}

function recordOf(
  request: ApprovalRequest,
  signed: { profile: "solo" | "team"; demand: { people: number; holding: readonly string[] } },
  decisions: readonly ApprovalDecision[],
): ApprovalRecord {
  const { people, holding } = signed.demand;
  const kind = people > 1 ? "two-person" : "approve";
  return {
    requestId: request.id,
    profile: signed.profile,
    demand: holding.length > 0 ? `${kind} holding ${holding.join(", ")}` : kind,
    decisions: decisions
      .filter(({ decision }) => decision === "approve")
      .map(({ personId, assurance, keyId, envelopeDigest }) => ({
        personId,
        assurance,
        ...(keyId !== undefined && { keyId }),
        ...(envelopeDigest !== undefined && { envelope: envelopeDigest }),
      })),
  };
}

function peopleOf(people: number): 1 | 2 {
  return people > 1 ? 2 : 1;
}
