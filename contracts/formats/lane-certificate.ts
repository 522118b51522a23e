import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { canonicalize } from "./canonical-json.ts";
import { assembleEnvelope, IN_TOTO_PAYLOAD_TYPE, pae, verifyEnvelope } from "./dsse.ts";
import { keyId, publicKeyFromBase64, publicKeyToBase64 } from "./ed25519.ts";
import { buildStatement, parseStatement, statementBytes } from "./statement.ts";

/**
 * A lane is the log of one account's receipts by one incarnation of a process (an epoch). The process signs with a key
 * that never leaves its memory; the account's root key certifies that key for this lane and this time, and nothing else.
 */
export const LANE_CERTIFICATE_TYPE = "https://countersign.dev/lane-certificate/v1";

const moment = z.iso.datetime({ precision: 3 });
const predicateSchema = z.strictObject({
  /** The lane's name in its checkpoints. */
  origin: z.string().min(1),
  epoch: z.strictObject({ id: z.string().min(1), no: z.int().min(1), origin: z.string().min(1) }),
  /** SPKI DER in Base 64. */
  processKey: z.string(),
  /** The key that signed this, SPKI DER in Base 64: whether it is the account's is for the reader to know. */
  rootKey: z.string(),
  notBefore: moment,
  notAfter: moment,
});

export interface LaneCertificate {
  readonly origin: string;
  readonly epoch: { readonly id: string; readonly no: number; readonly origin: string };
  readonly processKey: KeyObject;
  readonly rootKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** `countersign/<hub>/<epoch number>`: names the epoch in the checkpoints of its commits. */
export function epochOrigin(hubId: string, epochNo: number): string {
  return `countersign/${hubId}/${epochNo}`;
}

/** `countersign/<hub>/<epoch number>/<account>` */
export function laneOrigin(hubId: string, epochNo: number, accountId: string): string {
  return `${epochOrigin(hubId, epochNo)}/${accountId}`;
}

/**
 * The certificate as the canonical JSON text of a DSSE envelope. `sign` signs with the private half of `rootKey`, which
 * may be far away.
 */
export async function issueLaneCertificate(
  certificate: LaneCertificate,
  sign: (message: Buffer) => Promise<Buffer>,
): Promise<string> {
  const { origin, epoch, processKey, rootKey, notBefore, notAfter } = certificate;
  const subject = [{ name: "process-key", digest: { sha256: keyId(processKey) } }];
  const payload = statementBytes(
    buildStatement(subject, LANE_CERTIFICATE_TYPE, {
      origin,
      epoch: { ...epoch },
      processKey: publicKeyToBase64(processKey),
      rootKey: publicKeyToBase64(rootKey),
      notBefore: notBefore.toISOString(),
      notAfter: notAfter.toISOString(),
    }),
  );
  const signature = await sign(pae(IN_TOTO_PAYLOAD_TYPE, payload));
  return canonicalize(assembleEnvelope(payload, signature, rootKey));
}

/**
 * Verifies a certificate. `isTrusted` says which root keys are the account's. Throws ENVELOPE_INVALID where the signature
 * is not that key's or the statement is another one.
 */
export function verifyLaneCertificate(text: string, isTrusted: (rootKey: KeyObject) => boolean): LaneCertificate {
  const envelope = parseJson(text);
  const claimed = readPredicate(claimedPayload(envelope));
  if (!isTrusted(claimed.rootKey)) {
    throw refusal(`it is signed with the key ${keyId(claimed.rootKey)}, which is not the account's root key`);
  }
  const certificate = readPredicate(verifyEnvelope(envelope, claimed.rootKey));
  if (certificate.notAfter <= certificate.notBefore) throw refusal("it is never valid");
  return certificate;
}

/** What a certificate says, without verifying it. Throws ENVELOPE_INVALID. */
export function claimedCertificate(text: string): LaneCertificate {
  return readPredicate(claimedPayload(parseJson(text)));
}

function readPredicate(payload: Buffer): LaneCertificate {
  const statement = parseStatement(payload, LANE_CERTIFICATE_TYPE);
  const { success, data, error } = predicateSchema.safeParse(statement.predicate);
  if (!success) throw refusal("its statement is no certificate of a lane", error);
  const { origin, epoch, notBefore, notAfter } = data;
  try {
    const processKey = publicKeyFromBase64(data.processKey);
    if (statement.subject[0]?.digest.sha256 !== keyId(processKey)) throw refusal("its subject is another key");
    const rootKey = publicKeyFromBase64(data.rootKey);
    return { origin, epoch, processKey, rootKey, notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
  } catch (cause) {
    if (cause instanceof HubError && cause.code === "ENVELOPE_INVALID") throw cause;
    throw refusal("a key in it is no Ed25519 key", cause);
  }
}

function claimedPayload(envelope: unknown): Buffer {
  const payload = (envelope as { payload?: unknown } | null)?.payload;
  const bytes = typeof payload === "string" ? decodeBase64(payload) : undefined;
  if (bytes === undefined) throw refusal("it has no payload");
  return bytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refusal("it is no JSON", cause);
  }
}

function refusal(reason: string, cause?: unknown): HubError {
  return new HubError("ENVELOPE_INVALID", `The lane's certificate is refused: ${reason}.`, { cause });
}
