/**
 * What the transit engine answers, as far as it is read (https://openbao.org/api-docs/secret/transit/). What does not
 * look so is KEY_SERVICE_UNREACHABLE: whatever answers there is no transit engine.
 */
import { createPublicKey } from "node:crypto";
import * as z from "zod";
import { publicKeyFromRaw, publicKeyToDer } from "../../../contracts/formats/ed25519.ts";
import { readVersioned, type Versioned } from "../../domain/keys/ciphertext.ts";
import type { KeyMetadata, KeyName, KeyVersion } from "../../domain/keys/key-service.ts";
import { isKeyType, type KeyType } from "../../domain/keys/key-types.ts";
import { HubError } from "../../errors.ts";

const key = z.object({
  data: z.object({
    type: z.string(),
    derived: z.boolean().default(false),
    deletion_allowed: z.boolean(),
    latest_version: z.number(),
    min_decryption_version: z.number(),
    min_encryption_version: z.number().default(0),
    min_available_version: z.number().default(0),
    /** Seconds since 1970 of keys that encrypt, more of those that sign, nothing of those for hashes. */
    keys: z
      .record(z.string(), z.union([z.number(), z.object({ public_key: z.string(), creation_time: z.string() })]))
      .optional(),
  }),
});

export const keyList = z.object({ data: z.object({ keys: z.array(z.string()) }) });
export const ciphertextAnswer = z.object({ data: z.object({ ciphertext: z.string() }) });
export const plaintextAnswer = z.object({ data: z.object({ plaintext: z.string() }) });
export const dataKeyAnswer = z.object({ data: z.object({ plaintext: z.string(), ciphertext: z.string() }) });
export const hmacAnswer = z.object({ data: z.object({ hmac: z.string() }) });
export const signatureAnswer = z.object({ data: z.object({ signature: z.string() }) });
export const verdictAnswer = z.object({ data: z.object({ valid: z.boolean() }) });
export const batchAnswer = z.object({
  data: z.object({
    batch_results: z.array(
      z.object({ ciphertext: z.string().optional(), plaintext: z.string().optional(), error: z.string().optional() }),
    ),
  }),
});

/** @throws HubError KEY_SERVICE_UNREACHABLE */
export function read<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw strange();
}

/** @throws HubError KEY_SERVICE_UNREACHABLE */
export function readMade(text: string): Versioned {
  const made = readVersioned(text);
  if (made === undefined) throw strange();
  return made;
}

/** @throws HubError KEY_SERVICE_UNREACHABLE; KEY_TYPE_MISMATCH where the key is of a type that the hub does not use */
export function readKey(keyName: KeyName, answer: unknown): KeyMetadata {
  const { data } = read(key, answer);
  const { type, latest_version: latestVersion, min_decryption_version: minDecryptionVersion } = data;
  if (!isKeyType(type)) {
    throw new HubError("KEY_TYPE_MISMATCH", `The key ${keyName} is of a type that the hub does not use.`);
  }
  return {
    name: keyName,
    type,
    derived: data.derived,
    latestVersion,
    minDecryptionVersion,
    minEncryptionVersion: data.min_encryption_version,
    minAvailableVersion: data.min_available_version,
    deletionAllowed: data.deletion_allowed,
    versions: versionsOf(type, data),
  };
}

type Keys = z.output<typeof key>["data"];

function versionsOf(
  type: KeyType,
  { keys, latest_version: latest, min_decryption_version: oldest }: Keys,
): KeyVersion[] {
  const numbers =
    keys === undefined
      ? Array.from({ length: latest - oldest + 1 }, (_, index) => oldest + index)
      : Object.keys(keys)
          .map(Number)
          .sort((a, b) => a - b);
  return numbers.map((version) => {
    const told = keys?.[version];
    if (told === undefined) return { version };
    if (typeof told === "number") return { version, createdAt: new Date(told * 1000) };
    return { version, createdAt: new Date(told.creation_time), publicKey: spkiOf(type, told.public_key) };
  });
}

/** Ed25519 comes as its 32 bytes in Base 64, ECDSA in PEM. */
function spkiOf(type: KeyType, publicKey: string): Buffer {
  try {
    if (type === "ed25519") return publicKeyToDer(publicKeyFromRaw(Buffer.from(publicKey, "base64")));
    return createPublicKey(publicKey).export({ format: "der", type: "spki" });
  } catch {
    throw strange();
  }
}

export function strange(): HubError {
  return new HubError("KEY_SERVICE_UNREACHABLE", "What answers there does not answer as a transit engine does.", {
    details: { reason: "STRANGE_ANSWER" },
  });
}
