import { z } from "zod";
import { HubError } from "../../server/errors.ts";
import { digest } from "../formats/canonical-json.ts";
import { buildStatement, parseStatement, statementBytes } from "../formats/statement.ts";
import { parsePreview, type ShownPreview } from "./preview.ts";

/** The request for approval: an in-toto Statement that says everything a decision is about. */
export const REQUEST_PREDICATE_TYPE = "https://countersign.dev/approval-request/v1";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits");
const instant = z.iso.datetime({ precision: 3 });

export const demandShape = z.strictObject({
  people: z.int().min(1).max(2),
  holding: z.array(z.string().min(1)),
});

export const requestPredicate = z.strictObject({
  hub: z.string().min(1),
  account: z.uuid(),
  action: z.string().min(1),
  toolSchemaDigest: sha256,
  inputCommitment: sha256,
  requester: z.strictObject({ id: z.uuid(), kind: z.enum(["operator", "agent", "service"]) }),
  policyHash: sha256,
  demand: demandShape,
  profile: z.enum(["solo", "team"]),
  target: z.strictObject({ type: z.string().min(1), id: z.string().min(1), version: z.string().optional() }),
  previewDigest: sha256,
  approvalExpiresAt: instant,
  /** The latest; the hub narrows it to an hour (or what is set) after the last approval. */
  executionExpiresAt: instant,
  /** Random, 32 bytes: two requests for the same call are two requests. */
  nonce: sha256,
});

export type RequestPredicate = z.output<typeof requestPredicate>;

/** A request as it was read, with what its bytes prove about it. */
export interface ApprovalRequestStatement {
  readonly requestId: string;
  /** SHA-256 of the statement's bytes, hex: what a decision is about. */
  readonly digest: string;
  readonly predicate: RequestPredicate;
}

/** How many different people have to agree: an approver for each permission asked for, and as many as are demanded. */
export function peopleNeeded(demand: { readonly people: number; readonly holding: readonly string[] }): number {
  return Math.max(demand.people, demand.holding.length);
}

/** The subject's name of a request in statements. */
export function requestSubject(requestId: string): string {
  return `approval-request/${requestId}`;
}

/** The canonical statement of a request. Its subject is the request; the digest is the commitment to the call's input. */
export function buildRequest(requestId: string, predicate: RequestPredicate): { text: string; digest: string } {
  const { target, ...rest } = requestPredicate.parse(predicate);
  const { version, ...place } = target;
  const bytes = statementBytes(
    buildStatement(
      [{ name: requestSubject(requestId), digest: { sha256: predicate.inputCommitment } }],
      REQUEST_PREDICATE_TYPE,
      { ...rest, target: version === undefined ? place : { ...place, version } },
    ),
  );
  return { text: bytes.toString(), digest: digest(bytes) };
}

/** Reads a request's statement. Throws ENVELOPE_INVALID where it is none. */
export function parseRequest(text: string): ApprovalRequestStatement {
  const bytes = Buffer.from(text);
  const statement = parseStatement(bytes, REQUEST_PREDICATE_TYPE);
  const predicate = requestPredicate.safeParse(statement.predicate);
  const [subject, ...others] = statement.subject;
  const requestId = subject?.name.startsWith(requestSubject("")) ? subject.name.slice(requestSubject("").length) : "";
  if (
    !predicate.success ||
    requestId === "" ||
    others.length > 0 ||
    subject?.digest.sha256 !== predicate.data.inputCommitment
  ) {
    throw new HubError("ENVELOPE_INVALID", "The statement is no request for approval.", {
      path: predicate.success ? "subject" : "predicate",
      cause: predicate.error,
    });
  }
  return { requestId, digest: digest(bytes), predicate: predicate.data };
}

/**
 * What whoever is about to sign must do first: reads statement and preview, and checks that the one is about the other
 * and both are about `requestId`. Throws ENVELOPE_INVALID.
 */
export function openRequest(
  requestId: string,
  shown: { readonly statement: string; readonly preview: string },
): ApprovalRequestStatement & { readonly preview: ShownPreview } {
  const request = parseRequest(shown.statement);
  if (request.requestId !== requestId) {
    throw new HubError("ENVELOPE_INVALID", "The statement is about another request.", { path: "statement" });
  }
  if (digest(shown.preview) !== request.predicate.previewDigest) {
    throw new HubError("ENVELOPE_INVALID", "The preview is not the one that the request is bound to.", {
      path: "preview",
    });
  }
  return { ...request, preview: parsePreview(shown.preview) };
}
