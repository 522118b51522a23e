import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import { drawRandom } from "../../contracts/formats/randomness.ts";
import { type LanePlace, parseReceipt, RECEIPT_TYPE } from "../../contracts/formats/receipt-statement.ts";
import { buildStatement } from "../../contracts/formats/statement.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import { HubError } from "../errors.ts";

/** The code of every intent: how the call ends is not known yet. */
export const PENDING = "PENDING";

/** The canonical statement of an intent; its place in the lane is still null. */
export function buildIntent(record: CallRecord, at: Date): string {
  return build(record, { code: PENDING, at }, "intent");
}

/** The canonical statement of an outcome; its place in the lane is still null. `intent`: hex SHA-256 of the intent's. */
export function buildOutcome(record: CallRecord, outcome: CallOutcome, intent?: string): string {
  return build(record, outcome, "outcome", intent);
}

const NO_PLACE = '"lane":null';

/** Whether a statement can be placed. Inside of a string the quotes would be escaped: the member alone reads like this. */
export function lacksPlace(statement: string): boolean {
  const at = statement.indexOf(NO_PLACE);
  return at >= 0 && statement.indexOf(NO_PLACE, at + 1) < 0;
}

/** The statement as it is hashed into the lane. */
export function placeInLane(statement: string, { epoch, previous, sequence }: LanePlace): Buffer {
  const at = statement.indexOf(NO_PLACE);
  const place = `"lane":{"epoch":${epoch},"previous":"${previous}","sequence":${sequence}}`;
  return Buffer.from(statement.slice(0, at) + place + statement.slice(at + NO_PLACE.length));
}

/** What a call's intent committed to, read back from its statement. Throws ENVELOPE_INVALID. */
export function readCallRecord(statement: Uint8Array): CallRecord {
  const {
    account,
    phase: _,
    code: _code,
    time: _time,
    nonce: _nonce,
    lane: _lane,
    ...record
  } = parseReceipt(statement);
  // optional members that are absent stay absent: the schema's output type cannot say so
  return { accountId: account, ...record } as CallRecord;
}

type Ending = Omit<CallOutcome, "code"> & { readonly code: string };

function build(record: CallRecord, ending: Ending, phase: "intent" | "outcome", intent?: string): string {
  const { approval, input, policy, principal, runId, target, traceId } = record;
  const { approvalRequestId, left, output } = ending;
  // members in canonical order, so that canonicalize() copies nothing
  const predicate: Record<string, Json> = { account: record.accountId, action: record.action };
  if (approval)
    predicate.approval = { ...approval, decisions: approval.decisions.map((decision) => ({ ...decision })) };
  if (approvalRequestId !== undefined) predicate.approvalRequestId = approvalRequestId;
  predicate.callId = record.callId;
  predicate.channel = record.channel;
  predicate.code = ending.code;
  if (input !== undefined) predicate.input = input;
  if (intent !== undefined) predicate.intent = intent;
  predicate.lane = null;
  if (left?.length) predicate.left = left.map(({ digest, id, type, version }) => ({ digest, id, type, version }));
  predicate.nonce = nonce();
  if (output !== undefined) predicate.output = output;
  predicate.phase = phase;
  if (policy) predicate.policy = { decidedBy: policy.decidedBy, hash: policy.hash, version: policy.version };
  if (principal) predicate.principal = { id: principal.id, kind: principal.kind };
  if (runId !== undefined) predicate.runId = runId;
  predicate.schemaDigest = record.schemaDigest;
  if (target) predicate.target = target;
  predicate.time = ending.at.toISOString();
  if (traceId !== undefined) predicate.traceId = traceId;
  // where the input could not be read there is nothing to commit to but the call itself
  const subject = { digest: { sha256: input ?? digest(record.callId) }, name: input === undefined ? "call" : "input" };
  const { _type, predicateType } = buildStatement([subject], RECEIPT_TYPE, predicate);
  const text = canonicalize({ _type, predicate, predicateType, subject: [subject] }, { integersOnly: true });
  if (NUL.test(text)) throw new HubError("CANONICAL_INVALID", "A receipt cannot hold the character NUL.");
  return text;
}

/** Escaped, and not behind a backslash of its own: strict readers refuse it. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

const NONCE_LENGTH = 16;

/** Makes a statement's hash impossible to guess at. */
const nonce = (): string => drawRandom(NONCE_LENGTH).toString("hex");
