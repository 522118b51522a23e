import { type DecisionPredicate, type DecisionWord, verifyDecision } from "../../../contracts/approval/decision.ts";
import { canonicalize, digest, type Json } from "../../../contracts/formats/canonical-json.ts";
import { claimedKeyId } from "../../../contracts/formats/dsse.ts";
import type { SignedWhen } from "../../../contracts/formats/openpgp/signature.ts";
import { parseStrictJson } from "../../../contracts/formats/strict-json.ts";
import { CLOCK_SKEW_MS } from "../../../contracts/identity/person-key.ts";
import { HubError } from "../../errors.ts";
import type { ApprovalReader, ApprovalRequest, SigningKey } from "./approval-store.ts";

/** A decision whose signature was verified: what is kept of it, and the reason that is inside. */
export interface Signed {
  readonly kept: { readonly keyId: string; readonly envelope: string; readonly envelopeDigest: string };
  readonly reason: string | undefined;
}

/**
 * Verifies that an envelope is this person's decision on this request, signed with a live key of their own, now. Throws
 * DECISION_INVALID, which says what is wrong.
 */
export async function verifySigned(
  keys: Pick<ApprovalReader, "key">,
  request: ApprovalRequest,
  decision: { readonly decision: DecisionWord; readonly envelope?: unknown },
  personId: string,
  now: Date,
): Promise<Signed> {
  const envelope = readEnvelope(decision.envelope);
  const keyId = keyIdOf(envelope);
  const key = await keys.key(keyId);
  refuseKey(key, personId, now);
  const predicate = await verifyEnvelopeOf(request, { envelope, personId, decision: decision.decision }, key, now);
  refuseTime(new Date(predicate.decidedAt), request, now);
  const text = canonicalize(envelope);
  return { kept: { keyId, envelope: text, envelopeDigest: digest(text) }, reason: predicate.reason };
}

/** Whether a kept decision still is what its person signed, whatever the rows say. Throws DECISION_INVALID. */
export function verifyEnvelopeOf(
  request: Pick<ApprovalRequest, "id" | "statementDigest" | "previewDigest" | "createdAt">,
  decision: { readonly envelope: unknown; readonly personId: string; readonly decision: DecisionWord },
  key: SigningKey,
  now: Date,
): Promise<DecisionPredicate> {
  const expected = {
    requestId: request.id,
    requestDigest: request.statementDigest,
    previewDigest: request.previewDigest,
    personId: decision.personId,
    decision: decision.decision,
  };
  return verifyDecision(decision.envelope, key, expected, signedWhen(request, now));
}

/** A key as it counts at a time: neither revoked nor expired. */
export function isLive({ revokedAt, expiresAt }: SigningKey, now: Date): boolean {
  return revokedAt === undefined && (expiresAt === undefined || expiresAt > now);
}

function signedWhen({ createdAt }: Pick<ApprovalRequest, "createdAt">, now: Date): SignedWhen {
  const from = new Date(createdAt.getTime() - CLOCK_SKEW_MS);
  return { from, until: new Date(now.getTime() + CLOCK_SKEW_MS), now };
}

function readEnvelope(envelope: unknown): Json {
  if (typeof envelope !== "string") return envelope as Json;
  try {
    return parseStrictJson(envelope);
  } catch (cause) {
    throw invalid("its envelope is no JSON", cause);
  }
}

function keyIdOf(envelope: Json): string {
  try {
    return claimedKeyId(envelope);
  } catch (cause) {
    throw invalid("it is not in a DSSE envelope with one signature", cause);
  }
}

function refuseKey(key: SigningKey | undefined, personId: string, now: Date): asserts key is SigningKey {
  if (key === undefined) throw invalid("the key that signed it is not enrolled here");
  if (key.personId !== personId) throw invalid("the key that signed it is another person's");
  if (key.revokedAt !== undefined) throw invalid("the key that signed it was revoked");
  if (!isLive(key, now))
    throw invalid(
      `the key that signed it has expired (${key.expiresAt?.toISOString()}); extend it, and tell the hub with npx countersign keys add-openpgp`,
    );
}

function refuseTime(decidedAt: Date, request: ApprovalRequest, now: Date): void {
  const { from, until } = signedWhen(request, now);
  if (decidedAt > until) {
    throw invalid("it is dated in the future; check the clock of the machine that signs");
  }
  if (decidedAt < from) {
    throw invalid("it is dated before the request; check the clock of the machine that signs");
  }
}

function invalid(reason: string, cause?: unknown): HubError {
  return new HubError("DECISION_INVALID", `The decision is refused: ${reason}.`, { path: "envelope", cause });
}
