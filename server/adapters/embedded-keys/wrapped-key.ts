import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import {
  generateKeyPair,
  keyPairFromDer,
  privateKeyToDer,
  publicKeyToDer,
} from "../../../contracts/formats/ed25519.ts";
import type { KeyName, KeyType } from "../../domain/keys/key-service.ts";
import type { NewKeyVersion, StoredKeyVersion } from "./key-store.ts";
import { seal, unseal } from "./sealed-bytes.ts";

/** A version of a key with its secret half, in memory alone. */
export interface OpenKeyVersion {
  readonly version: number;
  readonly type: KeyType;
  /** A private key for signing, else a secret one. */
  readonly secret: KeyObject;
  readonly publicKey: KeyObject | undefined;
  readonly createdAt: Date;
}

const SECRET_LENGTH = 32;

/** Makes a version's secret and wraps it under the root key. */
export function makeKeyVersion(
  rootKey: KeyObject,
  accountId: string,
  keyName: KeyName,
  type: KeyType,
  version: number,
): NewKeyVersion {
  const pair = type === "ed25519" ? generateKeyPair() : undefined;
  const secret = pair === undefined ? randomBytes(SECRET_LENGTH) : privateKeyToDer(pair.privateKey);
  const wrapped = seal(rootKey, secret, binding(accountId, keyName, version, type));
  secret.fill(0);
  return { version, type, wrapped, publicKey: pair === undefined ? null : publicKeyToDer(pair.publicKey) };
}

/**
 * Unwraps a stored version, or undefined where the row is not what the root key wrapped for this account, name, version
 * and type: another root key, a row copied from elsewhere, a changed row. The public half is derived from the private
 * one, and a stored one that differs spoils the row: whoever can write to the table must not choose whom others trust.
 */
export function openKeyVersion(
  rootKey: KeyObject,
  accountId: string,
  keyName: KeyName,
  stored: StoredKeyVersion,
): OpenKeyVersion | undefined {
  const { version, type, createdAt } = stored;
  const bytes = unseal(rootKey, stored.wrapped, binding(accountId, keyName, version, type));
  if (bytes === undefined) return undefined;
  try {
    if (type !== "ed25519") {
      if (stored.publicKey !== null) return undefined;
      return { version, type, secret: createSecretKey(bytes), publicKey: undefined, createdAt };
    }
    const { privateKey, publicKey } = keyPairFromDer(bytes);
    if (stored.publicKey === null || !stored.publicKey.equals(publicKeyToDer(publicKey))) return undefined;
    return { version, type, secret: privateKey, publicKey, createdAt };
  } finally {
    bytes.fill(0);
  }
}

function binding(accountId: string, keyName: KeyName, version: number, type: KeyType): Buffer {
  return Buffer.from(JSON.stringify(["countersign.key-version.v1", accountId, keyName, version, type]));
}
