import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * Secrets that name what they open: `<prefix>_<32 hexadecimal digits of the id>_<43 characters of base64url>`, the id a
 * UUID, the secret 32 random bytes. The prefix lets secret scanners find one that leaked. Only the SHA-256 of the
 * secret's bytes is kept.
 */
export interface BearerSecret {
  /** A UUID in its usual form, lower case. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Buffer;
}

/** `cs_...`: a principal's access token. */
export const TOKEN_PREFIX = "cs";
/** `csi_...`: a one-time invitation code. */
export const INVITATION_PREFIX = "csi";
/** `csc_...`: the right to give a stored credential its secret, once. */
export const CREDENTIAL_CLAIM_PREFIX = "csc";

export type SecretPrefix = typeof TOKEN_PREFIX | typeof INVITATION_PREFIX | typeof CREDENTIAL_CLAIM_PREFIX;

const SECRET_LENGTH = 32;
const SHAPE = /^(cs|csi|csc)_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;
const MAX_TEXT = 3 + 1 + 32 + 1 + 43;

/** 32 bytes from the system's generator. */
export function generateSecret(): Buffer {
  return randomBytes(SECRET_LENGTH);
}

export function formatSecret(prefix: SecretPrefix, { id, secret }: BearerSecret): string {
  return `${prefix}_${id.replaceAll("-", "")}_${secret.toString("base64url")}`;
}

/**
 * Reads a token or a code, or undefined for anything but the one spelling of one: another prefix, another
 * length, upper case in the id, padding, spaces, bits left over in the last character.
 */
export function parseSecret(prefix: SecretPrefix, text: string): BearerSecret | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const [, found, hex, encoded] = SHAPE.exec(text) ?? [];
  if (found !== prefix || hex === undefined || encoded === undefined) return undefined;
  const secret = Buffer.from(encoded, "base64url");
  if (secret.toString("base64url") !== encoded) return undefined;
  return { id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"), secret };
}

/** What is kept of a secret: the SHA-256 of its bytes. It is random, so that a slow hash would protect nothing more. */
export function secretDigest(secret: Buffer): Buffer {
  return hash("sha256", secret, "buffer");
}

/** Compares in a time that tells nothing about where the two differ. */
export function secretMatches(secret: Buffer, kept: Buffer): boolean {
  return kept.length === SECRET_LENGTH && timingSafeEqual(secretDigest(secret), kept);
}
