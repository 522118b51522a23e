import { HubError } from "../../errors.ts";

/** What every account has keys for. */
export const KEY_TYPES = {
  /** Certifies process keys and policies: what a stranger trusts in this account. */
  root: "ed25519",
  /** Encrypts bodies and credentials. */
  data: "aes256-gcm96",
  /** Compares inputs without showing a digest of them. */
  mac: "hmac",
} as const;

/** One of KEY_TYPES', or another of the account's: lower-case letters, digits and hyphens. */
export type KeyName = string;
export type KeyType = (typeof TYPES)[number];

export const KEY_NAMES = Object.keys(KEY_TYPES) as readonly (keyof typeof KEY_TYPES)[];

const TYPES = ["aes256-gcm96", "chacha20-poly1305", "ed25519", "ecdsa-p256", "hmac"] as const;

/** What a key can be for. */
export type KeyUse = "encrypt" | "sign" | "hash";

const USES: Readonly<Record<KeyType, KeyUse>> = {
  "aes256-gcm96": "encrypt",
  "chacha20-poly1305": "encrypt",
  ed25519: "sign",
  "ecdsa-p256": "sign",
  hmac: "hash",
};

export const useOf = (type: KeyType): KeyUse => USES[type];

export function isKeyType(text: unknown): text is KeyType {
  return TYPES.some((type) => type === text);
}

const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

/**
 * The kind of a key that is to be made.
 * @throws HubError INPUT_INVALID where the name is none, or stands for no type; KEY_TYPE_MISMATCH where nothing can be
 * derived from such a key
 */
export function kindOf(
  keyName: KeyName,
  {
    type = Object.hasOwn(KEY_TYPES, keyName) ? KEY_TYPES[keyName as keyof typeof KEY_TYPES] : undefined,
    derived = false,
  }: { readonly type?: KeyType; readonly derived?: boolean } = {},
): { readonly type: KeyType; readonly derived: boolean } {
  if (!NAME.test(keyName)) throw new HubError("INPUT_INVALID", `${JSON.stringify(keyName)} is no name of a key.`);
  if (type === undefined) throw new HubError("INPUT_INVALID", `The key ${keyName} needs a type.`);
  if (derived && useOf(type) !== "encrypt") {
    throw new HubError("KEY_TYPE_MISMATCH", `No keys are derived from one of the type ${type}.`);
  }
  return { type, derived };
}

/** A key as far as it matters to what it may do. */
export interface KeyKind {
  readonly name: KeyName;
  readonly type: KeyType;
  readonly derived: boolean;
}

/**
 * Refuses a key that is for something else.
 * @throws HubError KEY_TYPE_MISMATCH
 */
export function requireUse(key: KeyKind, use: KeyUse): void {
  if (useOf(key.type) === use) return;
  const sentence = `The key ${key.name} is of the type ${key.type}, which does not ${use}.`;
  throw new HubError("KEY_TYPE_MISMATCH", sentence, { details: { keyName: key.name, type: key.type, use } });
}

/**
 * A derived key needs a context, and another ignores it: whoever gives one there takes for bound what is not.
 * @throws HubError KEY_TYPE_MISMATCH
 */
export function requireContext(key: KeyKind, context: Uint8Array | undefined): void {
  const given = context !== undefined && context.length > 0;
  if (given === key.derived) return;
  const sentence = key.derived
    ? `Keys are derived from the key ${key.name}: a context has to say which.`
    : `The key ${key.name} is not derived from, so that a context would bind nothing.`;
  throw new HubError("KEY_TYPE_MISMATCH", sentence, { details: { keyName: key.name, derived: key.derived } });
}

/** @throws HubError KEY_TYPE_MISMATCH where the account has the key already, as another kind */
export function requireSameKind(found: KeyKind, asked: Pick<KeyKind, "type" | "derived">): void {
  if (found.type === asked.type && found.derived === asked.derived) return;
  const sentence = `The account has a key ${found.name} of another kind (${found.type}${found.derived ? ", derived" : ""}).`;
  throw new HubError("KEY_TYPE_MISMATCH", sentence, { details: { keyName: found.name, type: found.type } });
}
