import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { keyId, SIGNATURE_LENGTH, sign, verify } from "./ed25519.ts";
import { formatJsonPath } from "./json-path.ts";
import { OPENPGP_KEY_ID } from "./openpgp/key-id.ts";

/** DSSE envelopes (secure-systems-lab/dsse v1) with exactly one signature: Ed25519, or an OpenPGP key's. */

export const IN_TOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";

const ED25519_KEY_ID = /^[0-9a-f]{64}$/;

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.string().min(1),
  // others sign envelopes of their own: some verifiers refuse an envelope with two signatures
  signatures: z.tuple([
    z.strictObject({
      keyid: z.string().refine((id) => ED25519_KEY_ID.test(id) || OPENPGP_KEY_ID.test(id)),
      sig: z.string(),
    }),
  ]),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/**
 * The bytes that are signed (pre-authentication encoding): `DSSEv1 SP len(type) SP type SP len(payload) SP payload`,
 * lengths in bytes, decimal.
 */
export function pae(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The payload inside of what `pae` makes; undefined where the bytes are anything else. */
export function readPae(bytes: Uint8Array, payloadType: string): Buffer | undefined {
  const all = Buffer.from(bytes);
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} `;
  const length = /^[0-9]{1,9} /.exec(all.subarray(head.length, head.length + 10).toString("latin1"))?.[0];
  if (length === undefined) return undefined;
  const payload = all.subarray(head.length + length.length);
  return pae(payloadType, payload).equals(all) ? payload : undefined;
}

/** An envelope around a signature that was made elsewhere over `pae(payloadType, payload)`. */
export function assembleEnvelope(
  payload: Uint8Array,
  signature: Uint8Array,
  publicKey: KeyObject,
  payloadType: string = IN_TOTO_PAYLOAD_TYPE,
): Envelope {
  return envelopeOf(payload, signature, keyId(publicKey), payloadType);
}

/** The same for a key of which the id alone is at hand. */
export function envelopeOf(
  payload: Uint8Array,
  signature: Uint8Array,
  keyid: string,
  payloadType: string = IN_TOTO_PAYLOAD_TYPE,
): Envelope {
  return {
    payload: Buffer.from(payload).toString("base64"),
    payloadType,
    signatures: [{ keyid, sig: Buffer.from(signature).toString("base64") }],
  };
}

/** Signs a payload. */
export function signEnvelope(
  payload: Uint8Array,
  key: { privateKey: KeyObject; publicKey: KeyObject },
  payloadType: string = IN_TOTO_PAYLOAD_TYPE,
): Envelope {
  return assembleEnvelope(payload, sign(pae(payloadType, payload), key.privateKey), key.publicKey, payloadType);
}

/**
 * The id of the key that an envelope says it was signed with: a claim, good for looking up the key to verify with.
 * Throws ENVELOPE_INVALID.
 */
export function claimedKeyId(envelope: unknown): string {
  return parseEnvelope(envelope).signatures[0].keyid;
}

/**
 * Verifies an envelope and returns the payload's bytes: use these and never parse the envelope again. Throws
 * ENVELOPE_INVALID where the shape is another, the payload is of another type, or the one signature is not this key's.
 */
export function verifyEnvelope(
  envelope: unknown,
  publicKey: KeyObject,
  payloadType: string = IN_TOTO_PAYLOAD_TYPE,
): Buffer {
  const { payload, signature } = openEnvelope(envelope, keyId(publicKey), payloadType);
  if (signature.length !== SIGNATURE_LENGTH || !verify(pae(payloadType, payload), signature, publicKey)) {
    throw refusal("its signature does not verify", "signatures[0].sig");
  }
  return payload;
}

/** What is in an envelope that says it was signed with the key of this id; nothing is verified. Throws ENVELOPE_INVALID. */
export function openEnvelope(
  envelope: unknown,
  keyid: string,
  payloadType: string = IN_TOTO_PAYLOAD_TYPE,
): { payload: Buffer; signature: Buffer } {
  const parsed = parseEnvelope(envelope);
  if (parsed.payloadType !== payloadType) throw refusal(`its payload is no ${payloadType}`, "payloadType");
  const [claimed] = parsed.signatures;
  if (claimed.keyid !== keyid) throw refusal("it was signed with another key", "signatures[0].keyid");
  const payload = decodeBase64(parsed.payload);
  if (payload === undefined) throw refusal("its payload is not in Base 64", "payload");
  const signature = decodeBase64(claimed.sig);
  if (signature === undefined) throw refusal("its signature does not verify", "signatures[0].sig");
  return { payload, signature };
}

function parseEnvelope(envelope: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(envelope);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = formatJsonPath((issue?.path ?? []) as (string | number)[]);
  throw refusal("it has not the shape of a DSSE envelope with one signature", path, parsed.error);
}

function refusal(reason: string, path: string, cause?: unknown): HubError {
  return new HubError("ENVELOPE_INVALID", `The envelope is refused: ${reason}.`, { path, cause });
}
