import { createHmac, KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import { invalidCiphertext, readCiphertext, writeVersioned } from "../../domain/keys/ciphertext.ts";
import { changedRules, requireDeletable, requireTrimmable } from "../../domain/keys/key-rules.ts";
import type {
  BatchResult,
  CipherItem,
  DataKey,
  DerivationOptions,
  EncryptionOptions,
  KeyedHash,
  KeyMetadata,
  KeyName,
  KeyRules,
  KeyService,
  KeySignature,
  NewKey,
  PlainItem,
  RewrapItem,
} from "../../domain/keys/key-service.ts";
import { type KeyUse, kindOf, requireContext, requireSameKind, requireUse } from "../../domain/keys/key-types.ts";
import { requireFitting, requireFittingBatch, requireFittingText } from "../../domain/keys/limits.ts";
import { HubError, toHubError } from "../../errors.ts";
import { FIRST_RULES, type KeyChange, type KeyStore } from "./key-store.ts";
import type { OpenKey } from "./open-key.ts";
import { OpenKeys } from "./open-keys.ts";
import { onlyRootKey, type RootKeys } from "./root-keys.ts";
import { seal, unseal } from "./sealed-bytes.ts";
import { signWith, verifyWith } from "./signatures.ts";
import { makeKeyVersion } from "./wrapped-key.ts";

const NO_DATA = Buffer.alloc(0);
const DATA_KEY_LENGTH = 32;

/**
 * The key service of a hub without Vault: keys in the hub's database, their secrets wrapped under the root key, which the
 * database never sees. Whoever holds database and root key holds all keys. What another process changes of a key is known
 * here within FRESH_MS.
 */
export class EmbeddedKeyService implements KeyService {
  readonly #rootKeys: RootKeys;
  readonly #store: KeyStore;
  readonly #keys: OpenKeys;

  constructor(rootKeys: RootKeys | KeyObject, store: KeyStore, now?: () => number) {
    this.#rootKeys = rootKeys instanceof KeyObject ? onlyRootKey(rootKeys) : rootKeys;
    this.#store = store;
    this.#keys = new OpenKeys(this.#rootKeys, store, now);
  }

  async create(accountId: string, keyName: KeyName, options: NewKey = {}): Promise<void> {
    const kind = kindOf(keyName, options);
    // almost always it is there: what takes no lock comes first
    if ((await this.#store.key(accountId, keyName)) === undefined) {
      await this.#store.change(accountId, keyName, async (standing) => {
        if (standing !== undefined) return undefined;
        const place = { accountId, keyName, version: 1, ...kind };
        const rules = { ...FIRST_RULES, derived: kind.derived };
        return { add: makeKeyVersion(await this.#rootKeys.newest(), place), rules };
      });
    }
    requireSameKind(await this.#keys.reload(accountId, keyName), kind);
  }

  async list(accountId: string): Promise<KeyName[]> {
    return (await this.#store.names(accountId)).sort();
  }

  async metadata(accountId: string, keyName: KeyName): Promise<KeyMetadata> {
    return (await this.#keys.reload(accountId, keyName)).metadata();
  }

  async sign(accountId: string, keyName: KeyName, message: Uint8Array): Promise<KeySignature> {
    requireFitting(message);
    const key = await this.#keyFor("sign", accountId, keyName);
    const { version, secret } = key.latest;
    return { version, signature: signWith(key.type, secret, message) };
  }

  async verify(
    accountId: string,
    keyName: KeyName,
    message: Uint8Array,
    { version, signature }: KeySignature,
  ): Promise<boolean> {
    requireFitting(message);
    const key = await this.#keyWith(version, "sign", accountId, keyName);
    const found = key.opening(version);
    return found?.publicKey !== undefined && verifyWith(key.type, found.publicKey, message, signature);
  }

  async encrypt(
    accountId: string,
    keyName: KeyName,
    plaintext: Uint8Array,
    options: EncryptionOptions = {},
  ): Promise<string> {
    return encryptWith(await this.#keyFor("encrypt", accountId, keyName), plaintext, options);
  }

  async encryptBatch(accountId: string, keyName: KeyName, items: readonly PlainItem[]): Promise<BatchResult<string>[]> {
    requireFittingBatch(items);
    const key = await this.#keyFor("encrypt", accountId, keyName);
    return items.map((item) => attempt(() => encryptWith(key, item.plaintext, item)));
  }

  async decrypt(
    accountId: string,
    keyName: KeyName,
    ciphertext: string,
    options: EncryptionOptions = {},
  ): Promise<Buffer> {
    return decryptWith(await this.#keyForAll([ciphertext], accountId, keyName), ciphertext, options);
  }

  async decryptBatch(
    accountId: string,
    keyName: KeyName,
    items: readonly CipherItem[],
  ): Promise<BatchResult<Buffer>[]> {
    requireFittingBatch(items);
    const key = await this.#keyForAll(items.map(textOf), accountId, keyName);
    return items.map((item) => attempt(() => decryptWith(key, item.ciphertext, item)));
  }

  async rewrap(
    accountId: string,
    keyName: KeyName,
    ciphertext: string,
    options: DerivationOptions = {},
  ): Promise<string> {
    return rewrapWith(await this.#keyForAll([ciphertext], accountId, keyName), ciphertext, options);
  }

  async rewrapBatch(accountId: string, keyName: KeyName, items: readonly RewrapItem[]): Promise<BatchResult<string>[]> {
    requireFittingBatch(items);
    const key = await this.#keyForAll(items.map(textOf), accountId, keyName);
    return items.map((item) => attempt(() => rewrapWith(key, item.ciphertext, item)));
  }

  async hmac(accountId: string, keyName: KeyName, input: Uint8Array, version?: number): Promise<KeyedHash> {
    requireFitting(input);
    const key = await this.#keyWith(version ?? 0, "hash", accountId, keyName);
    const found = version === undefined ? key.latest : key.making(version);
    if (found === undefined) throw new HubError("KEY_NOT_FOUND", `The key ${keyName} has no version ${version}.`);
    return { version: found.version, mac: createHmac("sha256", found.secret).update(input).digest() };
  }

  async verifyHmac(
    accountId: string,
    keyName: KeyName,
    input: Uint8Array,
    { version, mac }: KeyedHash,
  ): Promise<boolean> {
    requireFitting(input);
    const key = await this.#keyWith(version, "hash", accountId, keyName);
    const found = key.opening(version);
    if (found === undefined) return false;
    const expected = createHmac("sha256", found.secret).update(input).digest();
    return mac.length === expected.length && timingSafeEqual(mac, expected);
  }

  async dataKey(accountId: string, keyName: KeyName, options: DerivationOptions = {}): Promise<DataKey> {
    const plaintext = randomBytes(DATA_KEY_LENGTH);
    return { plaintext, ciphertext: await this.encrypt(accountId, keyName, plaintext, contextOf(options)) };
  }

  rotate(accountId: string, keyName: KeyName): Promise<KeyMetadata> {
    return this.#change(accountId, keyName, async ({ latest, type, derived }) => {
      const place = { accountId, keyName, version: latest.version + 1, type, derived };
      return { add: makeKeyVersion(await this.#rootKeys.newest(), place) };
    });
  }

  configure(accountId: string, keyName: KeyName, rules: Partial<KeyRules>): Promise<KeyMetadata> {
    return this.#change(accountId, keyName, async (key) => ({
      rules: { ...key.rules, ...changedRules(key.metadata(), rules) },
    }));
  }

  trim(accountId: string, keyName: KeyName, minAvailableVersion: number): Promise<KeyMetadata> {
    return this.#change(accountId, keyName, async (key) => {
      requireTrimmable(key.metadata(), minAvailableVersion);
      return { rules: { ...key.rules, minAvailableVersion }, destroyBelow: minAvailableVersion };
    });
  }

  async delete(accountId: string, keyName: KeyName): Promise<void> {
    await this.#store.change(accountId, keyName, async (standing) => {
      requireDeletable((await this.#keys.open(accountId, keyName, standing)).metadata());
      return { remove: true };
    });
    this.#keys.forget(accountId, keyName);
  }

  async #change(
    accountId: string,
    keyName: KeyName,
    decide: (key: OpenKey) => Promise<KeyChange>,
  ): Promise<KeyMetadata> {
    await this.#store.change(accountId, keyName, async (standing) =>
      decide(await this.#keys.open(accountId, keyName, standing)),
    );
    return this.metadata(accountId, keyName);
  }

  async #keyFor(use: KeyUse, accountId: string, keyName: KeyName): Promise<OpenKey> {
    const key = await this.#keys.get(accountId, keyName);
    requireUse(key, use);
    return key;
  }

  /** Looks again where the version is news: another process may have made it since this one looked. */
  async #keyWith(version: number, use: KeyUse, accountId: string, keyName: KeyName): Promise<OpenKey> {
    const key = await this.#keyFor(use, accountId, keyName);
    return version > key.latest.version ? this.#keys.reload(accountId, keyName) : key;
  }

  #keyForAll(ciphertexts: readonly string[], accountId: string, keyName: KeyName): Promise<OpenKey> {
    const versions = ciphertexts.map((text) => Number(/^vault:v([0-9]{1,9}):/.exec(text)?.[1] ?? 0));
    return this.#keyWith(Math.max(0, ...versions), "encrypt", accountId, keyName);
  }
}

const textOf = ({ ciphertext }: CipherItem) => ciphertext;
const contextOf = ({ context }: DerivationOptions) => (context === undefined ? {} : { context });

function encryptWith(key: OpenKey, plaintext: Uint8Array, options: EncryptionOptions): string {
  requireFitting(plaintext, options);
  requireContext(key, options.context);
  const { latest, aead } = key;
  const bytes = seal(key.secretFor(latest, options.context), plaintext, options.associatedData ?? NO_DATA, aead);
  return writeVersioned({ version: latest.version, bytes });
}

function decryptWith(key: OpenKey, ciphertext: string, options: EncryptionOptions): Buffer {
  requireFittingText(ciphertext);
  requireContext(key, options.context);
  const { version, bytes } = readCiphertext(ciphertext);
  const found = key.opening(version);
  const plaintext =
    found && unseal(key.secretFor(found, options.context), bytes, options.associatedData ?? NO_DATA, key.aead);
  if (plaintext === undefined) throw invalidCiphertext();
  return plaintext;
}

function rewrapWith(key: OpenKey, ciphertext: string, options: DerivationOptions): string {
  const plaintext = decryptWith(key, ciphertext, contextOf(options));
  try {
    return encryptWith(key, plaintext, contextOf(options));
  } finally {
    plaintext.fill(0);
  }
}

function attempt<T>(one: () => T): BatchResult<T> {
  try {
    return { ok: true, value: one() };
  } catch (error) {
    return { ok: false, error: toHubError(error) };
  }
}
