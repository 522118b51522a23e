import type { Config, Key, KeyID, Subkey } from "openpgp";
import { HubError } from "../../../server/errors.ts";
import { openPgpKeyId } from "./key-id.ts";
import { openpgp, reasonOf, strictConfig } from "./library.ts";

/**
 * OpenPGP certificates (RFC 9580, and RFC 4880 for version 4): a primary key, who it says it is, and subkeys. Of what it
 * says about itself only that counts which holds by SHA-256 or better.
 */
export interface OpenPgpCertificate {
  /** `openpgp:` and the primary key's fingerprint: apart from the ids of all other keys. */
  readonly keyId: string;
  /** Of the primary key; lower-case hexadecimal, 40 digits (version 4) or 64 (version 6). */
  readonly fingerprint: string;
  /** What the key calls its holder: nobody else vouches for it. */
  readonly userIds: readonly string[];
  /** The packets that were understood, without armour. */
  readonly bytes: Buffer;
  /** Fingerprints of all its keys, the primary one first. */
  readonly fingerprints: readonly string[];
  readonly key: Key;
}

/** Characters of armour; five certificates of the usual size. */
export const MAX_CERTIFICATE_LENGTH = 40_000;
const MOST_KEYS = 20;
const MOST_USER_IDS = 20;

/** Armour around anything secret, wherever in the text: such a text goes nowhere. */
const SECRET_ARMOUR = /-----BEGIN PGP (?:PRIVATE|SECRET)/;

export function holdsSecretKey(text: string): boolean {
  return SECRET_ARMOUR.test(text);
}

export const SECRET_KEY_WARNING =
  "This holds an OpenPGP PRIVATE key, which nobody but you may ever see. Nothing of it was kept. Where it passed through anything but your own machine, revoke it and make a new one; what is wanted here is the public half (gpg --armor --export).";

/**
 * Reads one certificate: armour as text, or the bytes inside of it. Throws INPUT_INVALID, also for a private key that was
 * handed over by mistake; the error holds nothing of the text.
 */
export async function readCertificate(source: string | Uint8Array): Promise<OpenPgpCertificate> {
  const key = await parse(source);
  const keys = key.getKeys();
  const fingerprints = keys.map((one) => one.getFingerprint());
  const userIds = key.getUserIDs();
  if (keys.length > MOST_KEYS || userIds.length > MOST_USER_IDS)
    throw unusable(`it has more than ${MOST_KEYS} keys or ${MOST_USER_IDS} user ids`);
  // signatures name the key that made them by its short id
  if (new Set(keys.map((one) => one.getKeyID().toHex())).size !== keys.length)
    throw unusable("two of its keys have the same id");
  const fingerprint = key.getFingerprint();
  const bytes = Buffer.from(key.write());
  return { keyId: openPgpKeyId(fingerprint), fingerprint, userIds, bytes, fingerprints, key };
}

async function parse(source: string | Uint8Array): Promise<Key> {
  if (source.length > MAX_CERTIFICATE_LENGTH)
    throw unusable("it is too large; leave out what others say about it (gpg --export-options export-minimal)");
  if (typeof source === "string" && holdsSecretKey(source)) throw secret();
  const library = await openpgp();
  const config = strictConfig(library);
  let keys: Key[];
  try {
    keys =
      typeof source === "string"
        ? await library.readKeys({ armoredKeys: source, config })
        : await library.readKeys({ binaryKeys: source, config });
  } catch {
    // no cause: it could repeat what is in a text that may be secret
    throw unusable("it cannot be read");
  }
  const [key, ...others] = keys;
  if (keys.some((one) => one.isPrivate())) throw secret();
  if (key === undefined || others.length > 0) throw unusable("exactly one key is wanted");
  return key;
}

/** When the last key of a certificate that may sign now stops doing so; undefined where it never does. */
export interface Standing {
  readonly expiresAt?: Date;
}

/**
 * How a certificate stands at a time. Throws INPUT_INVALID where nothing of it may sign then: revoked, expired, not yet
 * valid, or without a key that is meant to sign.
 */
export async function standingOf({ key }: OpenPgpCertificate, at: Date): Promise<Standing> {
  const config = strictConfig(await openpgp());
  let why: unknown;
  let latest = 0;
  const primaryEnds = ended(await key.getExpirationTime(undefined, config));
  for (const one of key.getKeys()) {
    try {
      await signingKeyAt(key, one.getKeyID(), at, config);
    } catch (error) {
      why ??= error;
      continue;
    }
    const ends = isSubkey(one) ? ended(await one.getExpirationTime(at, config)) : primaryEnds;
    latest = Math.max(latest, Math.min(ends, primaryEnds));
  }
  if (latest === 0) throw unusable(`no key of it may sign: ${reasonOf(why)}`);
  return latest === Infinity ? {} : { expiresAt: new Date(latest) };
}

/**
 * The key of that id, where it may sign at that time: bound by the primary key, meant for signing, having agreed to the
 * bond, neither expired nor revoked. Throws the library's errors, or others that say why.
 */
export async function signingKeyAt(key: Key, keyId: KeyID, at: Date, config: Config): Promise<Key | Subkey> {
  // a revocation that does not verify counts too: who checks it by other rules than we do may find that it holds
  if (key.revocationSignatures.length > 0) throw new Error("the primary key is revoked");
  const found = await key.getSigningKey(keyId, at, undefined, config);
  if (!isSubkey(found)) return found;
  if (found.revocationSignatures.length > 0) throw new Error("the subkey is revoked");
  const { enums } = await openpgp();
  const { embeddedSignature } = await found.verify(at, config);
  if (embeddedSignature?.signatureType !== enums.signature.keyBinding)
    throw new Error("the subkey has not agreed to belong to the primary key");
  return found;
}

const isSubkey = (key: Key | Subkey): key is Subkey => "mainKey" in key;

const ended = (time: Date | number | null): number => (time === null ? 0 : Number(time));

function unusable(why: string): HubError {
  return new HubError("INPUT_INVALID", `This is no OpenPGP certificate that can be used: ${why}.`, {
    path: "certificate",
  });
}

function secret(): HubError {
  return new HubError("INPUT_INVALID", SECRET_KEY_WARNING, { path: "certificate" });
}
