import * as z from "zod";
import { rowIdV7 } from "../formats/row-id.ts";
import { principalReference } from "../identity/principal.ts";
import { DECISIONS } from "./decision.ts";
import { shownPreview } from "./preview.ts";

/** A request for approval as actions answer with it. */

/**
 * The life of a request: open -> approved -> executing -> executed | failed. People end it as denied or cancelled,
 * time as expired, a target or an approver that moved as stale, a crash while executing as ambiguous.
 */
export const requestState = z.enum([
  "open",
  "approved",
  "executing",
  "executed",
  "failed",
  "stale",
  "denied",
  "expired",
  "cancelled",
  "ambiguous",
]);
export type RequestState = z.output<typeof requestState>;

export const requestId = rowIdV7.describe("id of the approval request");

const sha256 = z.string().describe("SHA-256, hexadecimal");

export const requestSummary = z.strictObject({
  id: z.string(),
  state: requestState,
  action: z.string(),
  requester: principalReference,
  headline: z.string().describe("what would happen, in one escaped sentence"),
  needs: z.string().describe("who has to agree, in words"),
  createdAt: z.iso.datetime(),
  approvalExpiresAt: z.iso.datetime(),
  closedAt: z.iso.datetime().optional(),
  errorCode: z.string().optional().describe("why it ended, where it was not executed"),
});
export type RequestSummary = z.output<typeof requestSummary>;

export const decisionView = z.strictObject({
  person: z.strictObject({ id: z.string(), name: z.string() }),
  principalId: z.string(),
  decision: z.enum(DECISIONS),
  assurance: z.enum(["signed", "hub-attested"]).describe("hub-attested: nobody but the hub vouches for it"),
  keyId: z.string().optional(),
  envelope: z.string().optional().describe("the DSSE envelope that the person signed"),
  reason: z.string().optional(),
  decidedAt: z.iso.datetime(),
});
export type DecisionView = z.output<typeof decisionView>;

/** What the requester alone is given. */
export const requestOutcome = z.strictObject({
  message: z.string().optional().describe("why it ended, where it was not executed"),
  result: z.unknown().optional().describe("output, summary and receipt of the executed call, until it is deleted"),
});

export const requestDetail = requestSummary.extend({
  profile: z.enum(["solo", "team"]),
  demand: z.strictObject({ people: z.int(), holding: z.array(z.string()), rules: z.array(z.string()) }),
  target: z.strictObject({ type: z.string(), id: z.string(), version: z.string().optional() }),
  changes: shownPreview.shape.changes.describe("the escaped preview, field by field"),
  preview: z.string().describe("the canonical JSON of the escaped preview"),
  previewDigest: sha256,
  statement: z.string().describe("the canonical in-toto statement that decisions are about"),
  statementDigest: sha256,
  decisions: z.array(decisionView),
  executionExpiresAt: z.iso.datetime(),
  executionCallId: z.string().optional(),
  yours: requestOutcome.optional().describe("for the requester alone"),
});
export type RequestDetail = z.output<typeof requestDetail>;

/** What came of one decision. */
export const decisionTaken = z.strictObject({
  requestId: z.string(),
  state: z.enum(["open", "approved", "denied"]),
  decision: z.enum(DECISIONS),
  assurance: z.enum(["signed", "hub-attested"]),
  counts: z.boolean().describe("whether it brought the request any further"),
  approvals: z.int().describe("of those needed"),
  needed: z.int(),
  needs: z.string().describe("who has to agree altogether, in words"),
  executionExpiresAt: z.iso.datetime().optional().describe("of an approved call: its execution begins before"),
});
export type DecisionTaken = z.output<typeof decisionTaken>;
