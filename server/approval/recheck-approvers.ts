import { peopleNeeded } from "../../contracts/approval/request.ts";
import { digest } from "../../contracts/formats/canonical-json.ts";
import { parseStrictJson } from "../../contracts/formats/strict-json.ts";
import type { HeldCall } from "../action/approvals.ts";
import { type Approvers, DECIDE } from "../action/approvers.ts";
import type { Caller } from "../action/caller.ts";
import type { Identifier } from "../action/identifier.ts";
import type { Store } from "../action/store.ts";
import { filled, signedPredicate, signedRules, type Voice } from "../domain/approvals/agreement.ts";
import type { ApprovalDecision, ApprovalRequest, SigningKey } from "../domain/approvals/approval-store.ts";
import { isLive, verifyEnvelopeOf } from "../domain/approvals/verify-signed.ts";
import { HubError } from "../errors.ts";

export interface RecheckSetup {
  readonly store: Store;
  readonly identifier: Pick<Identifier, "byPrincipal">;
  readonly approvers: Approvers;
  readonly now: () => Date;
}

interface Kept {
  readonly decision: ApprovalDecision;
  readonly key: SigningKey | undefined;
}

/**
 * See `Approvals.recheck`. A decision still counts if the principal that gave it is not banned and may decide, the key
 * that signed it is neither revoked nor expired, and its signature verifies over the request as it is stored now. How many are needed
 * is what was signed. Throws APPROVAL_STALE.
 */
export async function recheckApprovers(setup: RecheckSetup, held: HeldCall, caller: Caller): Promise<void> {
  const { request, kept } = await setup.store.read(held.accountId, async ({ approvals }) => {
    const decisions = (await approvals.decisions(held.requestId)).filter(({ decision }) => decision === "approve");
    const rows: Kept[] = [];
    for (const decision of decisions) {
      rows.push({ decision, key: decision.keyId === undefined ? undefined : await approvals.key(decision.keyId) });
    }
    return { request: await approvals.get(held.requestId), kept: rows };
  });
  const rules = signedRules(signedPredicate(request), caller.principal, caller.account.profile);
  const voices: Voice[] = [];
  for (const { decision, key } of kept) {
    if (decision.assurance === "signed" && !(await stillSigned(request, decision, key, setup.now()))) continue;
    const holding = await stillHeld(setup, held, decision, rules.holding);
    if (holding !== undefined) voices.push({ personId: decision.personId, assurance: decision.assurance, holding });
  }
  const left = filled(rules, voices);
  const needed = peopleNeeded(rules);
  if (left >= needed) return;
  throw new HubError(
    "APPROVAL_STALE",
    `The approved call was not carried out: of the ${needed} approvals that it needs ${left} still count, since an approver was banned, lost a permission or had a key revoked or expired. Ask again.`,
    { details: { needed, left } },
  );
}

async function stillSigned(
  request: ApprovalRequest,
  decision: ApprovalDecision,
  key: SigningKey | undefined,
  now: Date,
): Promise<boolean> {
  if (key === undefined || !isLive(key, now) || key.personId !== decision.personId) return false;
  if (decision.envelope === undefined) return false;
  // digests of what is stored, not the stored digests
  const stored = {
    id: request.id,
    statementDigest: digest(request.statement),
    previewDigest: digest(request.preview),
    createdAt: request.createdAt,
  };
  try {
    await verifyEnvelopeOf(stored, { ...decision, envelope: parseStrictJson(decision.envelope) }, key, now);
    return true;
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

/** Of the permissions asked for, those that the approver still holds for this call; undefined where they may not decide any more. */
async function stillHeld(
  { identifier, approvers }: RecheckSetup,
  held: HeldCall,
  decision: ApprovalDecision,
  asked: readonly string[],
): Promise<string[] | undefined> {
  const found = await identifier.byPrincipal(held.accountId, decision.principalId);
  if (!("caller" in found) || found.caller.principal.personId !== decision.personId) return undefined;
  if (!(await approvers.mayDecide(found.caller, DECIDE))) return undefined;
  const holding: string[] = [];
  for (const permission of new Set(asked)) {
    if (await approvers.mayHold(found.caller, permission, held)) holding.push(permission);
  }
  return holding;
}
