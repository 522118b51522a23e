import { type KeyObject, sign as signEcdsa, verify as verifyEcdsa } from "node:crypto";
import * as ed25519 from "../../../contracts/formats/ed25519.ts";
import type { KeyType } from "../../domain/keys/key-service.ts";

/** Ed25519 over the message (64 bytes), or ECDSA over its SHA-256 (DER), as transit engines do by themselves. */
export function signWith(type: KeyType, secret: KeyObject, message: Uint8Array): Buffer {
  return type === "ed25519" ? ed25519.sign(message, secret) : signEcdsa("sha256", message, secret);
}

export function verifyWith(type: KeyType, publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (type === "ed25519") return ed25519.verify(message, signature, publicKey);
  return verifyEcdsa("sha256", message, publicKey, signature);
}
