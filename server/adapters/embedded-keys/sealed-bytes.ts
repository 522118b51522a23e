import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** AES-256-GCM (NIST SP 800-38D), or ChaCha20-Poly1305 (RFC 8439). */
export type Aead = "aes-256-gcm" | "chacha20-poly1305";

/**
 * Random nonce (12 bytes), ciphertext, tag (16 bytes), as transit engines write it. One key seals up to 2^32 times before
 * random nonces may meet.
 */
export function seal(
  key: KeyObject,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
  aead: Aead = "aes-256-gcm",
): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = cipherOf(aead, key, nonce);
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext, or undefined where key, bytes or associated data are not those of the sealing. */
export function unseal(
  key: KeyObject,
  sealed: Uint8Array,
  associatedData: Uint8Array,
  aead: Aead = "aes-256-gcm",
): Buffer | undefined {
  if (sealed.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
  const nonce = sealed.subarray(0, NONCE_LENGTH);
  const decipher = decipherOf(aead, key, nonce);
  decipher.setAAD(associatedData, { plaintextLength: sealed.length - NONCE_LENGTH - TAG_LENGTH });
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  // nothing of it leaves before final() has checked the tag
  const plaintext = decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

// each by its name: the types of Node's ciphers hang on the literal
function cipherOf(aead: Aead, key: KeyObject, nonce: Uint8Array) {
  return aead === "aes-256-gcm"
    ? createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_LENGTH })
    : createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_LENGTH });
}

function decipherOf(aead: Aead, key: KeyObject, nonce: Uint8Array) {
  return aead === "aes-256-gcm"
    ? createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_LENGTH })
    : createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_LENGTH });
}
