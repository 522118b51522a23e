import { z } from "zod";
import { HubError } from "../../server/errors.ts";
import type { SignedWhen } from "../formats/openpgp/signature.ts";
import { buildStatement, parseStatement, statementBytes } from "../formats/statement.ts";
import { type PersonKey, verifyPersonEnvelope } from "../identity/person-key.ts";
import { requestSubject } from "./request.ts";

/**
 * A person's decision on a request: an in-toto Statement about the request's statement, in a DSSE envelope signed with a
 * key of the person's own, Ed25519 or OpenPGP. The command line builds it, the hub and every later reader verify it, all by this file.
 */
export const DECISION_PREDICATE_TYPE = "https://countersign.dev/approval-decision/v1";

export const DECISIONS = ["approve", "reject"] as const;
export type DecisionWord = (typeof DECISIONS)[number];

/** Characters, after trimming. */
export const MAX_REASON_LENGTH = 500;
export const decisionReason = z.string().trim().min(1).max(MAX_REASON_LENGTH);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const decisionPredicate = z.strictObject({
  decision: z.enum(DECISIONS),
  reason: decisionReason.optional(),
  personId: z.uuid(),
  decidedAt: z.iso.datetime({ precision: 3 }),
  previewDigest: sha256,
  requestDigest: sha256,
});

export type DecisionPredicate = z.output<typeof decisionPredicate>;

/** The bytes that a person signs. */
export function buildDecision(requestId: string, predicate: DecisionPredicate): Buffer {
  const { reason, ...rest } = decisionPredicate.parse(predicate);
  return statementBytes(
    buildStatement(
      [{ name: requestSubject(requestId), digest: { sha256: predicate.requestDigest } }],
      DECISION_PREDICATE_TYPE,
      reason === undefined ? rest : { ...rest, reason },
    ),
  );
}

/** What a decision has to be about to count. */
export interface ExpectedDecision {
  readonly requestId: string;
  readonly requestDigest: string;
  readonly previewDigest: string;
  readonly personId: string;
  readonly decision: DecisionWord;
}

/**
 * Verifies that an envelope holds this person's decision on this request, signed with `key` at a time that `when` allows,
 * byte for byte what `buildDecision` makes. Whose key it is, and whether it was revoked, is the caller's to know. Throws
 * DECISION_INVALID, which says what is wrong with it.
 */
export async function verifyDecision(
  envelope: unknown,
  key: PersonKey,
  expected: ExpectedDecision,
  when: SignedWhen,
): Promise<DecisionPredicate> {
  const { payload, subject, predicate } = await readDecision(envelope, key, when);
  if (subject !== requestSubject(expected.requestId)) throw invalid("it is about another request", "subject");
  if (predicate.requestDigest !== expected.requestDigest) {
    throw invalid("it is about another version of this request", "predicate.requestDigest");
  }
  if (predicate.previewDigest !== expected.previewDigest) {
    throw invalid("what was seen when signing is not this request's preview", "predicate.previewDigest");
  }
  if (predicate.personId !== expected.personId) {
    throw invalid("it is signed in another person's name", "predicate.personId");
  }
  if (predicate.decision !== expected.decision) {
    throw invalid(`it says "${predicate.decision}", not "${expected.decision}"`, "predicate.decision");
  }
  if (!payload.equals(buildDecision(expected.requestId, predicate))) {
    throw invalid("its statement is not written in the canonical form", "payload");
  }
  return predicate;
}

async function readDecision(envelope: unknown, key: PersonKey, when: SignedWhen) {
  try {
    const payload = await verifyPersonEnvelope(envelope, key, when);
    const statement = parseStatement(payload, DECISION_PREDICATE_TYPE);
    const predicate = decisionPredicate.safeParse(statement.predicate);
    if (!predicate.success) throw invalid("its predicate is not that of a decision", "predicate", predicate.error);
    return { payload, subject: statement.subject[0]?.name, predicate: predicate.data };
  } catch (error) {
    if (!(error instanceof HubError) || error.code === "DECISION_INVALID") throw error;
    throw new HubError("DECISION_INVALID", `The decision is refused: ${error.message}`, {
      path: envelopePath(error.path),
      cause: error,
    });
  }
}

function invalid(reason: string, path: string, cause?: unknown): HubError {
  return new HubError("DECISION_INVALID", `The decision is refused: ${reason}.`, { path: envelopePath(path), cause });
}

function envelopePath(path: string | undefined): string {
  return path ? `envelope.${path}` : "envelope";
}
