import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { canonicalize } from "../../../contracts/formats/canonical-json.ts";
import { HubError } from "../../errors.ts";
import { invalidCiphertext } from "../keys/ciphertext.ts";
import type { CredentialRecord } from "./credential-store.ts";

/**
 * A credential's secret at rest: AES-256-GCM under a data key of its own, which the account's key `data` wraps. Account,
 * id and which of its secrets it is are the associated data, so that a row copied elsewhere does not open.
 */

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
export const SALT_LENGTH = 32;

type Place = Pick<CredentialRecord, "accountId" | "id" | "materialVersion">;

/** Nonce, ciphertext and tag. `dataKey`: 32 bytes, used for this one secret; the caller forgets it afterwards. */
export function sealMaterial(place: Place, secret: Uint8Array, dataKey: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce).setAAD(bindingOf(place));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The secret, for the adapter that sends it, which wipes it. Throws CREDENTIAL_EMPTY where none was given yet, and
 * CIPHERTEXT_INVALID where it was sealed by another key, for another place, or was changed.
 */
export function openMaterial(record: Place & Pick<CredentialRecord, "sealed">, dataKey: Uint8Array): Buffer {
  const { sealed } = record;
  if (sealed === undefined) throw emptyCredential();
  if (sealed.length < NONCE_LENGTH + TAG_LENGTH || dataKey.length !== 32) throw invalidCiphertext();
  const tagAt = sealed.length - TAG_LENGTH;
  try {
    const decipher = createDecipheriv("aes-256-gcm", dataKey, sealed.subarray(0, NONCE_LENGTH))
      .setAAD(bindingOf(record))
      .setAuthTag(sealed.subarray(tagAt));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_LENGTH, tagAt)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

/**
 * What the journal holds of a version: SHA-256 over everything that decides what is sent where. The wrapped data key is no
 * part of it, so that a rewrap leaves it as it is.
 */
export function credentialDigest(record: Omit<CredentialRecord, "digest" | "wrappedKey">): Buffer {
  const { accountId, id, name, kind, username, expiresAt, rotateEveryDays, version, materialVersion, sealed } = record;
  const text = canonicalize({
    account: accountId,
    allowedHosts: [...record.allowedHosts].sort(),
    consumers: [...record.consumers].sort(),
    expiresAt: expiresAt?.toISOString() ?? null,
    id,
    kind,
    materialVersion,
    name,
    rotateEveryDays: rotateEveryDays ?? null,
    salt: record.salt.toString("base64"),
    sealed: sealed?.toString("base64") ?? null,
    username: username ?? null,
    version,
  });
  return hash("sha256", text, "buffer");
}

/** The record with a fresh salt and the digest that goes with it. */
export function withDigest<T extends Omit<CredentialRecord, "digest" | "salt">>(
  record: T,
): T & { readonly digest: Buffer; readonly salt: Buffer } {
  const salted = { ...record, salt: randomBytes(SALT_LENGTH) };
  return { ...salted, digest: credentialDigest(salted) };
}

export function emptyCredential(name = "This credential"): HubError {
  return new HubError("CREDENTIAL_EMPTY", `${name} has no secret yet: a person has to give it first.`);
}

function bindingOf({ accountId, id, materialVersion }: Place): Buffer {
  return Buffer.from(`countersign/credential/v1\n${accountId}\n${id}\n${materialVersion}`);
}
