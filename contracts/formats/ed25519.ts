import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signWith,
  verify as verifyWith,
} from "node:crypto";
import { HubError } from "../../server/errors.ts";
import { decodeBase64 } from "./base64.ts";
import { digest } from "./canonical-json.ts";

/** Ed25519 signatures (RFC 8032, without prehashing or context). Keys travel as SPKI and PKCS #8 (RFC 8410). */

export interface KeyPair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export const SIGNATURE_LENGTH = 64;
const RAW_KEY_LENGTH = 32;
/** Characters, generously: a key takes 113. */
const LONGEST_PEM = 1024;
/** SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes } up to the bytes of the key. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/**
 * The encodings, without the sign bit, of the points of small order. No private key leads to them, and not every verifier
 * refuses what somebody made up to fit them: evidence under such a key would be read differently elsewhere.
 */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

export function generateKeyPair(): KeyPair {
  return generateKeyPairSync("ed25519");
}

/** The 64 bytes of the signature. */
export function sign(message: Uint8Array, privateKey: KeyObject): Buffer {
  requireEd25519(privateKey, "private");
  return signWith(null, message, privateKey);
}

/**
 * Whether the signature is this key's over this message. Strict as RFC 8032 section 5.1.7 asks: a signature of any other
 * length and an S outside of the group's order are refused, so that no second signature can be made out of a first.
 */
export function verify(message: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  requireEd25519(publicKey, "public");
  return signature.length === SIGNATURE_LENGTH && verifyWith(null, message, publicKey, signature);
}

// exporting a key costs more than a signature
const keyIds = new WeakMap<KeyObject, string>();
const encodings = new WeakMap<KeyObject, Buffer>();

/** The id of a key in envelopes and records: SHA-256 of its SPKI DER, lower-case hexadecimal. */
export function keyId(publicKey: KeyObject): string {
  let id = keyIds.get(publicKey);
  if (id === undefined) {
    id = digest(publicKeyToDer(publicKey));
    keyIds.set(publicKey, id);
  }
  return id;
}

/** SPKI DER, 44 bytes. */
export function publicKeyToDer(publicKey: KeyObject): Buffer {
  requireEd25519(publicKey, "public");
  const der = encodings.get(publicKey) ?? publicKey.export({ format: "der", type: "spki" });
  encodings.set(publicKey, der);
  return Buffer.from(der);
}

/** The 32 bytes of the point, as RFC 8032 encodes it. */
export function publicKeyToRaw(publicKey: KeyObject): Buffer {
  return publicKeyToDer(publicKey).subarray(SPKI_PREFIX.length);
}

/** SPKI DER in Base 64. */
export function publicKeyToBase64(publicKey: KeyObject): string {
  return publicKeyToDer(publicKey).toString("base64");
}

export function publicKeyToPem(publicKey: KeyObject): string {
  requireEd25519(publicKey, "public");
  return publicKey.export({ format: "pem", type: "spki" }) as string;
}

/**
 * Reads SPKI DER. Throws INPUT_INVALID for anything but the one encoding of an Ed25519 key, and for keys of small
 * order. All other imports end here.
 */
export function publicKeyFromDer(der: Uint8Array): KeyObject {
  const bytes = Buffer.from(der);
  const raw = bytes.subarray(SPKI_PREFIX.length);
  if (raw.length !== RAW_KEY_LENGTH || !bytes.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX))
    throw invalidPublicKey();
  if (!isReduced(raw) || SMALL_ORDER.has(withoutSign(raw).toString("hex"))) throw invalidPublicKey();
  return createPublicKey({ key: bytes, format: "der", type: "spki" });
}

export function publicKeyFromRaw(raw: Uint8Array): KeyObject {
  return publicKeyFromDer(Buffer.concat([SPKI_PREFIX, raw]));
}

/** Reads SPKI DER in Base 64. Throws INPUT_INVALID. */
export function publicKeyFromBase64(text: string): KeyObject {
  const der = decodeBase64(text);
  if (der === undefined) throw invalidPublicKey();
  return publicKeyFromDer(der);
}

/** Reads one SPKI PEM block (RFC 7468). Throws INPUT_INVALID, also for a private key that was handed over by mistake. */
export function publicKeyFromPem(pem: string): KeyObject {
  if (pem.length > LONGEST_PEM) throw invalidPublicKey();
  const body = /^\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----\s*$/.exec(pem)?.[1];
  if (body === undefined) throw invalidPublicKey();
  return publicKeyFromBase64(body.replace(/\s+/g, ""));
}

/** PKCS #8 PEM, not encrypted: for files with mode 0600 and nowhere else. */
export function privateKeyToPem(privateKey: KeyObject): string {
  requireEd25519(privateKey, "private");
  return privateKey.export({ format: "pem", type: "pkcs8" }) as string;
}

/** Reads PKCS #8 PEM and derives the public half. Throws INPUT_INVALID. */
export function keyPairFromPem(pem: string): KeyPair {
  return keyPairFrom({ key: pem, format: "pem" });
}

/** PKCS #8 DER. */
export function privateKeyToDer(privateKey: KeyObject): Buffer {
  requireEd25519(privateKey, "private");
  return privateKey.export({ format: "der", type: "pkcs8" });
}

/** Reads PKCS #8 DER and derives the public half. Throws INPUT_INVALID. */
export function keyPairFromDer(der: Buffer): KeyPair {
  return keyPairFrom({ key: der, format: "der", type: "pkcs8" });
}

function keyPairFrom(input: { key: string; format: "pem" } | { key: Buffer; format: "der"; type: "pkcs8" }): KeyPair {
  let privateKey: KeyObject | undefined;
  try {
    privateKey = createPrivateKey(input);
  } catch {
    // no cause: it could describe what a secret looks like
  }
  if (privateKey?.asymmetricKeyType !== "ed25519") {
    throw new HubError("INPUT_INVALID", "This is no Ed25519 private key in PKCS #8 form.");
  }
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function invalidPublicKey(): HubError {
  return new HubError("INPUT_INVALID", "This is no Ed25519 public key that can be used: one in SPKI form is expected.");
}

function requireEd25519(key: KeyObject, half: "public" | "private"): void {
  if (key.asymmetricKeyType !== "ed25519" || key.type !== half) {
    throw new HubError("INTERNAL", `An Ed25519 ${half} key is needed here.`);
  }
}

function withoutSign(raw: Buffer): Buffer {
  const point = Buffer.from(raw);
  point.writeUInt8(point.readUInt8(31) & 0x7f, 31);
  return point;
}

/** Whether the y coordinate is below the field's prime 2^255 - 19: each point has one encoding. */
function isReduced(raw: Buffer): boolean {
  const y = withoutSign(raw);
  for (let i = 31; i >= 1; i--) if (y[i] !== (i === 31 ? 0x7f : 0xff)) return true;
  return y.readUInt8(0) < 0xed;
}
