import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { canonicalize, type Json } from "./canonical-json.ts";
import { formatJsonPath } from "./json-path.ts";
import { parseStatement } from "./statement.ts";

/** What one entry of a lane says: an in-toto statement about a call, before it started (intent) or after (outcome). */

export const RECEIPT_TYPE = "https://countersign.dev/receipt/v1";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const uuid = z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/);

const decision = z.strictObject({
  personId: z.string(),
  assurance: z.enum(["signed", "hub-attested"]),
  keyId: z.string().optional(),
  envelope: sha256.optional(),
});

const receiptPredicate = z.strictObject({
  /** The account that the call belongs to. */
  account: uuid,
  action: z.string().min(1),
  approval: z
    .strictObject({
      requestId: z.string(),
      profile: z.enum(["solo", "team"]),
      demand: z.string(),
      decisions: z.array(decision),
    })
    .optional(),
  /** The request for approval that the call now waits for. */
  approvalRequestId: z.string().optional(),
  callId: uuid,
  channel: z.string(),
  /** How the call ended; PENDING in an intent. */
  code: z.string(),
  /** Salted commitment to the canonical input. */
  input: sha256.optional(),
  /** SHA-256 of the statement of the call's intent, in an outcome of a call that had one. */
  intent: sha256.optional(),
  /** Where the statement stands: `previous` is the SHA-256 of the statement before it, of the certificate for the first. */
  lane: z.strictObject({ epoch: z.int().min(1), previous: sha256, sequence: z.int().min(0) }),
  /** What the call left of things whose latest version the journal vouches for, such as stored credentials. */
  left: z
    .array(z.strictObject({ type: z.string(), id: z.string(), version: z.int().min(1), digest: z.string() }))
    .optional(),
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  /** Salted commitment to the canonical output. */
  output: sha256.optional(),
  phase: z.enum(["intent", "outcome"]),
  policy: z.strictObject({ version: z.int(), hash: z.string(), decidedBy: z.array(z.string()) }).optional(),
  principal: z.strictObject({ id: uuid, kind: z.enum(["operator", "agent", "service"]) }).optional(),
  runId: z.string().optional(),
  schemaDigest: z.string(),
  target: z.strictObject({ type: z.string(), id: z.string(), version: z.string().optional() }).optional(),
  time: z.iso.datetime({ precision: 3 }),
  traceId: z.string().optional(),
});

export type ReceiptPredicate = z.output<typeof receiptPredicate>;
export type LanePlace = ReceiptPredicate["lane"];

/**
 * Whether an outcome tells of an approved change without naming its intent. A refusal may: then the call ended before its
 * intent, or it is not known whether that was written. What took effect, or may have, had one.
 */
export function lacksIntent({ phase, approval, code, intent }: ReceiptPredicate): boolean {
  return phase === "outcome" && intent === undefined && approval !== undefined && ["OK", "AMBIGUOUS"].includes(code);
}

/**
 * Reads a receipt's statement. Only the one canonical text is taken, so that what was hashed is what is read. Throws
 * ENVELOPE_INVALID with the path of what is wrong.
 */
export function parseReceipt(statement: Uint8Array): ReceiptPredicate {
  const parsed = parseStatement(statement, RECEIPT_TYPE);
  if (!Buffer.from(canonicalize(parsed as unknown as Json, { integersOnly: true })).equals(statement)) {
    throw new HubError("ENVELOPE_INVALID", "The statement is not in canonical form.");
  }
  const { success, data, error } = receiptPredicate.safeParse(parsed.predicate);
  if (success) return data;
  const path = formatJsonPath(["predicate", ...((error.issues[0]?.path ?? []) as (string | number)[])]);
  throw new HubError("ENVELOPE_INVALID", `The statement is no receipt: see ${path}.`, { path, cause: error });
}
