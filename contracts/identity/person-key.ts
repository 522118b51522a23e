import * as z from "zod";
import { HubError } from "../../server/errors.ts";
import { IN_TOTO_PAYLOAD_TYPE, openEnvelope, pae, verifyEnvelope } from "../formats/dsse.ts";
import { publicKeyFromDer } from "../formats/ed25519.ts";
import { readCertificate } from "../formats/openpgp/certificate.ts";
import { type SignedWhen, verifyOpenPgpSignature } from "../formats/openpgp/signature.ts";
import { principalReference } from "./principal.ts";

/** The keys that people sign decisions with. */
export const KEY_ALGORITHMS = ["ed25519", "openpgp"] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** How far the clock of who signs may be ahead of the hub's, or behind it. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** A key as it is kept: SPKI DER, or an OpenPGP certificate's packets. */
export interface PersonKey {
  readonly keyId: string;
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: Buffer;
}

/** Hex SHA-256 of an Ed25519 key's SPKI DER, or `openpgp:` and a fingerprint. */
export const personKeyId = z
  .string()
  .regex(/^(?:[0-9a-f]{64}|openpgp:(?:[0-9a-f]{40}|[0-9a-f]{64}))$/, "the id of a key")
  .describe("id of the key, as system_identity_list_keys tells it");

export const personKeyShape = z.strictObject({
  id: z.string(),
  algorithm: z.enum(KEY_ALGORITHMS),
  person: z.strictObject({ id: z.string(), name: z.string() }),
  state: z.enum(["live", "expired", "revoked"]),
  enrolledAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional().describe("when it stops signing by itself"),
  revoked: z
    .strictObject({ at: z.iso.datetime(), by: principalReference.optional() })
    .optional()
    .describe("`by` is absent where it was recovered from"),
  publicKey: z.string().optional().describe("Base64 of SPKI DER, or of an OpenPGP certificate"),
});
export type PersonKeyShape = z.output<typeof personKeyShape>;

/**
 * Verifies an envelope that a person signed and returns the payload's bytes. Whose the key is and whether it was revoked
 * is the caller's to know; when an OpenPGP signature was made and whether its key was good is in the signature and in the
 * certificate, and is verified. Throws ENVELOPE_INVALID, and INPUT_INVALID where the key itself cannot be read.
 */
export async function verifyPersonEnvelope(
  envelope: unknown,
  { keyId, algorithm, publicKey }: PersonKey,
  when: SignedWhen,
): Promise<Buffer> {
  if (algorithm === "ed25519") return verifyEnvelope(envelope, publicKeyFromDer(publicKey));
  const certificate = await readCertificate(publicKey);
  if (certificate.keyId !== keyId)
    throw new HubError("ENVELOPE_INVALID", "The key that is kept under this id is another one.", {
      path: "signatures[0].keyid",
    });
  const { payload, signature } = openEnvelope(envelope, keyId);
  await verifyOpenPgpSignature(certificate, pae(IN_TOTO_PAYLOAD_TYPE, payload), signature, when);
  return payload;
}
