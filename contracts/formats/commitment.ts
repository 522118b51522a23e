/** Salted digests: what is published of bytes that a reader of the digest must not be able to guess. */
import { createHash, randomBytes } from "node:crypto";
import { HubError } from "../../server/errors.ts";

/** Bytes of randomness in front of what is committed to. */
export const SALT_LENGTH = 32;

export interface Commitment {
  /** SHA-256 of salt and bytes, lower-case hexadecimal: this part is published. */
  digest: string;
  /** Kept, and disclosed, with the bytes alone. */
  salt: Buffer;
}

/**
 * Commits to bytes without letting anybody test a guess: SHA-256(salt || bytes). Without the salt a digest of a short or
 * likely input (an amount, a name) is found by trying.
 */
export function commit(bytes: Uint8Array, salt: Uint8Array = randomBytes(SALT_LENGTH)): Commitment {
  if (salt.length !== SALT_LENGTH) throw new HubError("INTERNAL", `A commitment's salt has ${SALT_LENGTH} bytes.`);
  return { digest: saltedDigest(bytes, salt), salt: Buffer.from(salt) };
}

/** Whether salt and bytes are what the digest commits to. */
export function opens(digest: string, salt: Uint8Array, bytes: Uint8Array): boolean {
  // with salts of any length, the border between salt and bytes could be moved and one digest would open twice
  return salt.length === SALT_LENGTH && saltedDigest(bytes, salt) === digest;
}

function saltedDigest(bytes: Uint8Array, salt: Uint8Array): string {
  return createHash("sha256").update(salt).update(bytes).digest("hex");
}
