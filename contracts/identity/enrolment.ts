import type { KeyObject } from "node:crypto";
import { digest } from "../formats/canonical-json.ts";
import { IN_TOTO_PAYLOAD_TYPE, pae } from "../formats/dsse.ts";
import { type KeyPair, keyId, publicKeyToBase64, sign, verify } from "../formats/ed25519.ts";
import { buildStatement, statementBytes } from "../formats/statement.ts";
import type { BearerSecret } from "./bearer-secret.ts";

/**
 * How a person joins: who holds an invitation code signs, with a new key of their own, that this key belongs to this
 * invitation. The hub learns the public half, and of the person's first token its id and digest alone.
 */
export const ENROLMENT_PREDICATE_TYPE = "https://countersign.dev/enrolment/v1";

export interface Enrolment {
  readonly invitation: BearerSecret;
  readonly publicKey: KeyObject;
  readonly token: { readonly id: string; readonly sha256: Buffer };
}

/**
 * The bytes that are signed: the DSSE pre-authentication encoding of an in-toto Statement. Its subject is the
 * invitation, by the digest of its secret: a signature made for one invitation is worth nothing for another.
 */
export function enrolmentBytes({ invitation, publicKey, token }: Enrolment): Buffer {
  const statement = buildStatement(
    [{ name: `invitation/${invitation.id}`, digest: { sha256: digest(invitation.secret) } }],
    ENROLMENT_PREDICATE_TYPE,
    {
      key: { algorithm: "ed25519", keyId: keyId(publicKey), publicKey: publicKeyToBase64(publicKey) },
      token: { id: token.id, sha256: token.sha256.toString("hex") },
    },
  );
  return pae(IN_TOTO_PAYLOAD_TYPE, statementBytes(statement));
}

/** The proof that whoever enrols this key holds it: its signature, Base 64. */
export function proveEnrolment(enrolment: Omit<Enrolment, "publicKey">, key: KeyPair): string {
  return sign(enrolmentBytes({ ...enrolment, publicKey: key.publicKey }), key.privateKey).toString("base64");
}

/** Whether `proof` (64 bytes) was made with the private half of the key that is enrolled. */
export function provesEnrolment(enrolment: Enrolment, proof: Buffer): boolean {
  return verify(enrolmentBytes(enrolment), proof, enrolment.publicKey);
}
