import { createHmac, type KeyObject } from "node:crypto";
import { decodeBase64 } from "../../../contracts/formats/base64.ts";
import { publicKeyToDer, sign, verify } from "../../../contracts/formats/ed25519.ts";
import {
  type EncryptionOptions,
  KEY_TYPES,
  type KeyedHash,
  type KeyMetadata,
  type KeyName,
  type KeyService,
  type KeySignature,
  type KeyType,
} from "../../domain/keys/key-service.ts";
import { HubError } from "../../errors.ts";
import type { KeyStore } from "./key-store.ts";
import { seal, unseal } from "./sealed-bytes.ts";
import { makeKeyVersion, type OpenKeyVersion, openKeyVersion } from "./wrapped-key.ts";

const NO_DATA = Buffer.alloc(0);
const CIPHERTEXT = /^vault:v([1-9][0-9]{0,8}):(.+)$/;
/** Opened keys that stay in memory; the least recently used are opened again when asked for. */
const OPEN_KEYS = 4096;

/** Oldest version first, at least one. */
type OpenKey = readonly OpenKeyVersion[];

/**
 * The key service of a hub without Vault: keys in the hub's database, their secrets wrapped under the root key, which the
 * database never sees. Whoever holds database and root key holds all keys.
 */
export class EmbeddedKeyService implements KeyService {
  readonly #rootKey: KeyObject;
  readonly #store: KeyStore;
  readonly #open = new Map<string, Promise<OpenKey>>();

  constructor(rootKey: KeyObject, store: KeyStore) {
    this.#rootKey = rootKey;
    this.#store = store;
  }

  async create(accountId: string, keyName: KeyName): Promise<void> {
    const known = await this.#store.versions(accountId, keyName);
    if (known.length > 0) return;
    // of several processes that get here at once the table lets one insert, and all use its row
    const made = makeKeyVersion(this.#rootKey, accountId, keyName, KEY_TYPES[keyName], 1);
    await this.#store.insertVersion(accountId, keyName, made);
  }

  async metadata(accountId: string, keyName: KeyName): Promise<KeyMetadata> {
    const versions = await this.#reload(accountId, keyName);
    const latest = latestOf(versions);
    return {
      name: keyName,
      type: latest.type,
      latestVersion: latest.version,
      versions: versions.map(({ version, createdAt, publicKey }) => ({
        version,
        createdAt,
        ...(publicKey !== undefined && { publicKey: publicKeyToDer(publicKey) }),
      })),
    };
  }

  async sign(accountId: string, keyName: KeyName, message: Uint8Array): Promise<KeySignature> {
    const { version, secret } = latestOf(await this.#keyFor("ed25519", accountId, keyName));
    return { version, signature: sign(message, secret) };
  }

  async verify(
    accountId: string,
    keyName: KeyName,
    message: Uint8Array,
    { version, signature }: KeySignature,
  ): Promise<boolean> {
    const found = await this.#version("ed25519", accountId, keyName, version);
    return found?.publicKey !== undefined && verify(message, signature, found.publicKey);
  }

  async encrypt(
    accountId: string,
    keyName: KeyName,
    plaintext: Uint8Array,
    { associatedData = NO_DATA }: EncryptionOptions = {},
  ): Promise<string> {
    const { version, secret } = latestOf(await this.#keyFor("aes256-gcm96", accountId, keyName));
    return `vault:v${version}:${seal(secret, plaintext, associatedData).toString("base64")}`;
  }

  async decrypt(
    accountId: string,
    keyName: KeyName,
    ciphertext: string,
    { associatedData = NO_DATA }: EncryptionOptions = {},
  ): Promise<Buffer> {
    const match = CIPHERTEXT.exec(ciphertext);
    const sealed = decodeBase64(match?.[2] ?? "");
    const version = Number(match?.[1]);
    // the key's type first: it is the same mistake whatever the ciphertext is
    await this.#keyFor("aes256-gcm96", accountId, keyName);
    if (match === null || sealed === undefined) throw invalidCiphertext();
    const found = await this.#existingVersion("aes256-gcm96", accountId, keyName, version);
    const plaintext = found && unseal(found.secret, sealed, associatedData);
    if (plaintext === undefined) throw invalidCiphertext();
    return plaintext;
  }

  async hmac(accountId: string, keyName: KeyName, input: Uint8Array, version?: number): Promise<KeyedHash> {
    const found =
      version === undefined
        ? latestOf(await this.#keyFor("hmac", accountId, keyName))
        : await this.#existingVersion("hmac", accountId, keyName, version);
    if (found === undefined) throw new HubError("KEY_NOT_FOUND", `The key ${keyName} has no version ${version}.`);
    return { version: found.version, mac: createHmac("sha256", found.secret).update(input).digest() };
  }

  /** As `#version`; throws KEY_VERSION_TOO_OLD where the version is older than all that exist. */
  async #existingVersion(
    type: KeyType,
    accountId: string,
    keyName: KeyName,
    version: number,
  ): Promise<OpenKeyVersion | undefined> {
    const found = await this.#version(type, accountId, keyName, version);
    if (found !== undefined) return found;
    const oldest = (await this.#key(accountId, keyName))[0]?.version ?? 1;
    if (!(version >= 1 && version < oldest)) return undefined;
    const sentence = `Version ${version} of the key ${keyName} is gone; the oldest is ${oldest}.`;
    throw new HubError("KEY_VERSION_TOO_OLD", sentence, { details: { version, oldest } });
  }

  async #version(
    type: KeyType,
    accountId: string,
    keyName: KeyName,
    version: number,
  ): Promise<OpenKeyVersion | undefined> {
    let key = await this.#keyFor(type, accountId, keyName);
    // another process may have made a version since this one looked
    if (version > latestOf(key).version) key = await this.#reload(accountId, keyName);
    return key.find((candidate) => candidate.version === version);
  }

  async #keyFor(type: KeyType, accountId: string, keyName: KeyName): Promise<OpenKey> {
    const key = await this.#key(accountId, keyName);
    if (latestOf(key).type !== type) {
      const sentence = `The key ${keyName} is of the type ${latestOf(key).type}; this needs ${type}.`;
      throw new HubError("KEY_TYPE_MISMATCH", sentence, { details: { keyName, needed: type } });
    }
    return key;
  }

  #key(accountId: string, keyName: KeyName): Promise<OpenKey> {
    const id = `${accountId}/${keyName}`;
    const open = this.#open.get(id);
    if (open === undefined) return this.#reload(accountId, keyName);
    this.#open.delete(id);
    this.#open.set(id, open);
    return open;
  }

  #reload(accountId: string, keyName: KeyName): Promise<OpenKey> {
    const id = `${accountId}/${keyName}`;
    const opening = this.#load(accountId, keyName);
    this.#open.delete(id);
    this.#open.set(id, opening);
    // what failed may work next time: the key may be made, the database come back
    opening.catch(() => {
      if (this.#open.get(id) === opening) this.#open.delete(id);
    });
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= OPEN_KEYS) break;
      this.#open.delete(oldest);
    }
    return opening;
  }

  async #load(accountId: string, keyName: KeyName): Promise<OpenKey> {
    const stored = await this.#store.versions(accountId, keyName);
    if (stored.length === 0) throw new HubError("KEY_NOT_FOUND", `This account has no key ${keyName}.`);
    return stored.map(
      (row) => openKeyVersion(this.#rootKey, accountId, keyName, row) ?? unopened(keyName, row.version),
    );
  }
}

function latestOf(key: OpenKey): OpenKeyVersion {
  const latest = key.at(-1);
  if (latest === undefined) throw new Error("cannot happen: an open key without versions");
  return latest;
}

function unopened(keyName: KeyName, version: number): never {
  const sentence =
    `Version ${version} of the key ${keyName} does not open with the root key: either the hub runs with another root key ` +
    "file than its database was made with, or the stored key was changed. Put the right root key file in place, or " +
    "restore the database from a backup.";
  throw new HubError("KEY_SERVICE_UNREACHABLE", sentence, { details: { keyName, version } });
}

function invalidCiphertext(): HubError {
  return new HubError(
    "CIPHERTEXT_INVALID",
    "This was not encrypted by this key for this use, or it was changed since.",
  );
}
