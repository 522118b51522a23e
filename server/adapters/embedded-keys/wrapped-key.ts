import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import {
  generateKeyPair,
  keyPairFromDer,
  privateKeyToDer,
  publicKeyToDer,
} from "../../../contracts/formats/ed25519.ts";
import type { KeyName, KeyType } from "../../domain/keys/key-service.ts";
import { useOf } from "../../domain/keys/key-types.ts";
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

/** What a version is of; it opens as nothing else. */
export interface VersionPlace {
  readonly accountId: string;
  readonly keyName: KeyName;
  readonly version: number;
  readonly type: KeyType;
  readonly derived: boolean;
}

const SECRET_LENGTH = 32;

/** Makes a version's secret and wraps it under the root key. */
export function makeKeyVersion(rootKey: KeyObject, place: VersionPlace): NewKeyVersion {
  const { version, type } = place;
  const { secret, publicKey } = makeSecret(type);
  const wrapped = seal(rootKey, secret, binding(place));
  secret.fill(0);
  return { version, type, wrapped, publicKey };
}

/**
 * Unwraps a stored version, or undefined where the row is not what the root key wrapped for this account, name, version
 * and type: another root key, a row copied from elsewhere, a changed row. The public half is derived from the private
 * one, and a stored one that differs spoils the row: whoever can write to the table must not choose whom others trust.
 */
export function openKeyVersion(
  rootKey: KeyObject,
  place: Omit<VersionPlace, "version" | "type">,
  stored: StoredKeyVersion,
): OpenKeyVersion | undefined {
  const { version, type, createdAt } = stored;
  const bytes = unseal(rootKey, stored.wrapped, binding({ ...place, version, type }));
  if (bytes === undefined) return undefined;
  try {
    if (useOf(type) !== "sign") {
      if (stored.publicKey !== null) return undefined;
      return { version, type, secret: createSecretKey(bytes), publicKey: undefined, createdAt };
    }
    const { privateKey, publicKey } = keyPairOf(type, bytes);
    if (stored.publicKey === null || !stored.publicKey.equals(spkiOf(type, publicKey))) return undefined;
    return { version, type, secret: privateKey, publicKey, createdAt };
  } finally {
    bytes.fill(0);
  }
}

/** The same secret under another root key, or undefined where `from` does not open the row. */
export function rewrapKeyVersion(
  from: KeyObject,
  to: KeyObject,
  place: VersionPlace,
  wrapped: Buffer,
): Buffer | undefined {
  const bytes = unseal(from, wrapped, binding(place));
  const rewrapped = bytes && seal(to, bytes, binding(place));
  bytes?.fill(0);
  return rewrapped;
}

function makeSecret(type: KeyType): { secret: Buffer; publicKey: Buffer | null } {
  if (type === "ed25519") {
    const { privateKey, publicKey } = generateKeyPair();
    return { secret: privateKeyToDer(privateKey), publicKey: publicKeyToDer(publicKey) };
  }
  if (type === "ecdsa-p256") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { secret: privateKey.export({ format: "der", type: "pkcs8" }), publicKey: spkiOf(type, publicKey) };
  }
  return { secret: randomBytes(SECRET_LENGTH), publicKey: null };
}

function keyPairOf(type: KeyType, pkcs8: Buffer): { privateKey: KeyObject; publicKey: KeyObject } {
  if (type === "ed25519") return keyPairFromDer(pkcs8);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** SPKI DER. */
export function spkiOf(type: KeyType, publicKey: KeyObject): Buffer {
  return type === "ed25519" ? publicKeyToDer(publicKey) : publicKey.export({ format: "der", type: "spki" });
}

function binding({ accountId, keyName, version, type, derived }: VersionPlace): Buffer {
  const parts = ["countersign.key-version.v1", accountId, keyName, version, type, ...(derived ? ["derived"] : [])];
  return Buffer.from(JSON.stringify(parts));
}
