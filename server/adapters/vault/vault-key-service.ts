import { readCiphertext, writeVersioned } from "../../domain/keys/ciphertext.ts";
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
import {
  type KeyKind,
  type KeyUse,
  kindOf,
  requireContext,
  requireSameKind,
  requireUse,
} from "../../domain/keys/key-types.ts";
import { requireFitting, requireFittingBatch, requireFittingText } from "../../domain/keys/limits.ts";
import { HubError, toHubError } from "../../errors.ts";
import { BatchSize } from "./batches.ts";
import { isNot, refusalOf } from "./refusals.ts";
import {
  batchAnswer,
  ciphertextAnswer,
  dataKeyAnswer,
  hmacAnswer,
  keyList,
  plaintextAnswer,
  read,
  readKey,
  readMade,
  signatureAnswer,
  strange,
  verdictAnswer,
} from "./transit-answers.ts";
import type { VaultClient } from "./vault-client.ts";

/** Keys whose kind stays in memory; it never changes as long as the key is there. */
const KNOWN_KINDS = 10_000;
/**
 * `encrypt` makes a key that is not there, of the type asked for, where the token may. Asked for a type that it cannot
 * make it refuses instead; for a key that is there the type is not looked at (OpenBao, `path_encrypt.go`).
 */
const NEVER_MAKE = { type: "ecdsa-p256" };

/** The keys of a transit engine of Vault's or OpenBao's, each under `countersign-<account>-<name>`. */
export class VaultKeyService implements KeyService {
  readonly #vault: Pick<VaultClient, "read" | "list" | "write" | "delete">;
  readonly #mount: string;
  readonly #kinds = new Map<string, KeyKind>();
  readonly #batchSize = new BatchSize();

  constructor(vault: Pick<VaultClient, "read" | "list" | "write" | "delete">, mount: string) {
    this.#vault = vault;
    this.#mount = mount;
  }

  async create(accountId: string, keyName: KeyName, options: NewKey = {}): Promise<void> {
    const kind = kindOf(keyName, options);
    if ((await this.#look(accountId, keyName)) === undefined) {
      // one that is there already is left as it is
      const size = kind.type === "hmac" ? { key_size: 32 } : {};
      await this.#vault.write(this.#path("keys", accountId, keyName), { ...kind, ...size }, "repeatable");
    }
    requireSameKind(await this.metadata(accountId, keyName), kind);
  }

  async list(accountId: string): Promise<KeyName[]> {
    const answer = await this.#vault.list(`${this.#mount}/keys`);
    if (answer === undefined) return [];
    const prefix = nameOf(accountId, "");
    const names = read(keyList, answer).data.keys.filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length)).sort();
  }

  async metadata(accountId: string, keyName: KeyName): Promise<KeyMetadata> {
    const metadata = await this.#look(accountId, keyName);
    if (metadata === undefined) throw missing(keyName);
    return metadata;
  }

  async sign(accountId: string, keyName: KeyName, message: Uint8Array): Promise<KeySignature> {
    requireFitting(message);
    await this.#keyFor("sign", accountId, keyName);
    const body = { input: base64(message), ...SIGNING };
    const { signature } = read(signatureAnswer, await this.#ask("sign", accountId, keyName, body)).data;
    const { version, bytes } = readMade(signature);
    return { version, signature: bytes };
  }

  async verify(
    accountId: string,
    keyName: KeyName,
    message: Uint8Array,
    { version, signature }: KeySignature,
  ): Promise<boolean> {
    requireFitting(message);
    await this.#keyFor("sign", accountId, keyName);
    return this.#verdict(accountId, keyName, version, {
      input: base64(message),
      signature: writeVersioned({ version, bytes: signature }),
      ...SIGNING,
    });
  }

  async encrypt(
    accountId: string,
    keyName: KeyName,
    plaintext: Uint8Array,
    options: EncryptionOptions = {},
  ): Promise<string> {
    const item = plainItem(await this.#keyFor("encrypt", accountId, keyName), { plaintext, ...options });
    return read(ciphertextAnswer, await this.#ask("encrypt", accountId, keyName, { ...item, ...NEVER_MAKE })).data
      .ciphertext;
  }

  async encryptBatch(accountId: string, keyName: KeyName, items: readonly PlainItem[]): Promise<BatchResult<string>[]> {
    return this.#batch("encrypt", accountId, keyName, items, plainItem, ({ ciphertext }) => ciphertext, NEVER_MAKE);
  }

  async decrypt(
    accountId: string,
    keyName: KeyName,
    ciphertext: string,
    options: EncryptionOptions = {},
  ): Promise<Buffer> {
    const item = cipherItem(await this.#keyFor("encrypt", accountId, keyName), { ciphertext, ...options });
    const { plaintext } = read(plaintextAnswer, await this.#ask("decrypt", accountId, keyName, item)).data;
    return Buffer.from(plaintext, "base64");
  }

  async decryptBatch(
    accountId: string,
    keyName: KeyName,
    items: readonly CipherItem[],
  ): Promise<BatchResult<Buffer>[]> {
    const bytesOf = ({ plaintext = "" }: ItemAnswer) => Buffer.from(plaintext, "base64");
    return this.#batch("decrypt", accountId, keyName, items, cipherItem, bytesOf);
  }

  async rewrap(
    accountId: string,
    keyName: KeyName,
    ciphertext: string,
    options: DerivationOptions = {},
  ): Promise<string> {
    const item = rewrapItem(await this.#keyFor("encrypt", accountId, keyName), { ciphertext, ...options });
    return read(ciphertextAnswer, await this.#ask("rewrap", accountId, keyName, item)).data.ciphertext;
  }

  async rewrapBatch(accountId: string, keyName: KeyName, items: readonly RewrapItem[]): Promise<BatchResult<string>[]> {
    return this.#batch("rewrap", accountId, keyName, items, rewrapItem, ({ ciphertext }) => ciphertext);
  }

  async hmac(accountId: string, keyName: KeyName, input: Uint8Array, version?: number): Promise<KeyedHash> {
    requireFitting(input);
    await this.#keyFor("hash", accountId, keyName);
    if (version !== undefined && !(version >= 1)) throw missing(keyName); // 0 would be the latest
    const body = {
      input: base64(input),
      algorithm: "sha2-256",
      ...(version !== undefined && { key_version: version }),
    };
    const made = readMade(read(hmacAnswer, await this.#ask("hmac", accountId, keyName, body)).data.hmac);
    return { version: made.version, mac: made.bytes };
  }

  async verifyHmac(
    accountId: string,
    keyName: KeyName,
    input: Uint8Array,
    { version, mac }: KeyedHash,
  ): Promise<boolean> {
    requireFitting(input);
    await this.#keyFor("hash", accountId, keyName);
    return this.#verdict(accountId, keyName, version, {
      input: base64(input),
      hmac: writeVersioned({ version, bytes: mac }),
      hash_algorithm: "sha2-256",
    });
  }

  async dataKey(accountId: string, keyName: KeyName, { context }: DerivationOptions = {}): Promise<DataKey> {
    const key = await this.#keyFor("encrypt", accountId, keyName);
    requireContext(key, context);
    const body = { bits: 256, ...contextOf(context) };
    const { plaintext, ciphertext } = read(
      dataKeyAnswer,
      await this.#ask("datakey/plaintext", accountId, keyName, body),
    ).data;
    return { plaintext: Buffer.from(plaintext, "base64"), ciphertext };
  }

  async rotate(accountId: string, keyName: KeyName): Promise<KeyMetadata> {
    await this.metadata(accountId, keyName);
    await this.#vault.write(`${this.#path("keys", accountId, keyName)}/rotate`, {}, "once");
    return this.metadata(accountId, keyName);
  }

  async configure(accountId: string, keyName: KeyName, rules: Partial<KeyRules>): Promise<KeyMetadata> {
    const changed = changedRules(await this.metadata(accountId, keyName), rules);
    const body = {
      min_decryption_version: changed.minDecryptionVersion,
      min_encryption_version: changed.minEncryptionVersion,
      deletion_allowed: changed.deletionAllowed,
    };
    await this.#vault.write(`${this.#path("keys", accountId, keyName)}/config`, body, "repeatable");
    return this.metadata(accountId, keyName);
  }

  async trim(accountId: string, keyName: KeyName, minAvailableVersion: number): Promise<KeyMetadata> {
    requireTrimmable(await this.metadata(accountId, keyName), minAvailableVersion);
    const body = { min_available_version: minAvailableVersion };
    await this.#vault.write(`${this.#path("keys", accountId, keyName)}/trim`, body, "repeatable");
    return this.metadata(accountId, keyName);
  }

  async delete(accountId: string, keyName: KeyName): Promise<void> {
    requireDeletable(await this.metadata(accountId, keyName));
    await this.#vault.delete(this.#path("keys", accountId, keyName));
    this.#kinds.delete(nameOf(accountId, keyName));
  }

  /** Undefined where there is no such key. */
  async #look(accountId: string, keyName: KeyName): Promise<KeyMetadata | undefined> {
    const answer = await this.#vault.read(this.#path("keys", accountId, keyName));
    const name = nameOf(accountId, keyName);
    this.#kinds.delete(name);
    if (answer === undefined) return undefined;
    const metadata = readKey(keyName, answer);
    this.#kinds.set(name, { name: keyName, type: metadata.type, derived: metadata.derived });
    for (const oldest of this.#kinds.keys()) {
      if (this.#kinds.size <= KNOWN_KINDS) break;
      this.#kinds.delete(oldest);
    }
    return metadata;
  }

  async #keyFor(use: KeyUse, accountId: string, keyName: KeyName): Promise<KeyKind> {
    const key = this.#kinds.get(nameOf(accountId, keyName)) ?? (await this.metadata(accountId, keyName));
    requireUse(key, use);
    return key;
  }

  /** All of these change nothing in the engine, so that they may be asked twice. */
  async #ask(verb: string, accountId: string, keyName: KeyName, body: object): Promise<unknown> {
    try {
      return await this.#vault.write(this.#path(verb, accountId, keyName), body, "repeatable");
    } catch (error) {
      const { code, details } = toHubError(error);
      // somebody else may have deleted it, and made one of another kind
      if (code === "KEY_NOT_FOUND") this.#kinds.delete(nameOf(accountId, keyName));
      // to encrypt under no key is to make one, which policies refuse where they allow no more than the hub needs
      const isRefused = verb === "encrypt" && code === "KEY_SERVICE_DENIED" && details?.["status"] === 403;
      if (isRefused && (await this.#isMissing(accountId, keyName))) throw missing(keyName);
      throw error;
    }
  }

  /** False where that cannot be told. */
  async #isMissing(accountId: string, keyName: KeyName): Promise<boolean> {
    try {
      return (await this.#look(accountId, keyName)) === undefined;
    } catch {
      return false;
    }
  }

  async #verdict(accountId: string, keyName: KeyName, version: number, body: object): Promise<boolean> {
    if (!(Number.isSafeInteger(version) && version >= 1)) return false;
    try {
      return read(verdictAnswer, await this.#ask("verify", accountId, keyName, body)).data.valid;
    } catch (error) {
      if (isNot(error)) return false;
      throw error;
    }
  }

  async #batch<I, O>(
    verb: string,
    accountId: string,
    keyName: KeyName,
    items: readonly I[],
    itemOf: (key: KeyKind, item: I) => object,
    valueOf: (answer: ItemAnswer) => O | undefined,
    rest: object = {},
  ): Promise<BatchResult<O>[]> {
    requireFittingBatch(items);
    const key = await this.#keyFor("encrypt", accountId, keyName);
    // what cannot work is not sent: one such item may cost the engine's answer to all of them
    const prepared = items.map((item) => attempt(() => itemOf(key, item)));
    const sent = prepared.flatMap((one) => (one.ok ? [{ item: one.value, length: lengthOf(one.value) }] : []));
    const answers = await this.#batchSize.each(sent, async (part) => {
      const body = { batch_input: part.map(({ item }) => item), ...rest };
      const { batch_results: results } = read(batchAnswer, await this.#ask(verb, accountId, keyName, body)).data;
      if (results.length !== part.length) throw strange();
      return results;
    });
    const next = answers.values();
    return prepared.map((one) => (one.ok ? resultOf(next.next().value, valueOf) : one));
  }

  #path(verb: string, accountId: string, keyName: KeyName): string {
    return `${this.#mount}/${verb}/${nameOf(accountId, keyName)}`;
  }
}

/** ECDSA signs a SHA-256, in DER; Ed25519 ignores both. */
const SIGNING = { hash_algorithm: "sha2-256", marshaling_algorithm: "asn1" };

type ItemAnswer = {
  readonly ciphertext?: string | undefined;
  readonly plaintext?: string | undefined;
  readonly error?: string | undefined;
};

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
const nameOf = (accountId: string, keyName: KeyName) => `countersign-${accountId}-${keyName}`;
const contextOf = (context: Uint8Array | undefined) => (context === undefined ? {} : { context: base64(context) });

function bindingsOf({ context, associatedData }: EncryptionOptions): object {
  const has = associatedData !== undefined && associatedData.length > 0;
  return { ...contextOf(context), ...(has && { associated_data: base64(associatedData) }) };
}

function plainItem(key: KeyKind, item: PlainItem): object {
  requireFitting(item.plaintext, item);
  requireContext(key, item.context);
  return { plaintext: base64(item.plaintext), ...bindingsOf(item) };
}

/** Read first: the engine takes other spellings of a ciphertext too. */
function cipherItem(key: KeyKind, item: CipherItem): object {
  requireFittingText(item.ciphertext);
  requireContext(key, item.context);
  readCiphertext(item.ciphertext);
  return { ciphertext: item.ciphertext, ...bindingsOf(item) };
}

function rewrapItem(key: KeyKind, { ciphertext, context }: RewrapItem): object {
  return cipherItem(key, { ciphertext, ...(context !== undefined && { context }) });
}

const lengthOf = (item: object) => Object.values(item).reduce((sum: number, text: string) => sum + text.length, 0);

function resultOf<O>(
  answer: ItemAnswer | HubError | undefined,
  valueOf: (answer: ItemAnswer) => O | undefined,
): BatchResult<O> {
  if (answer instanceof HubError) return { ok: false, error: answer };
  if (answer?.error) return { ok: false, error: refusalOf(400, [answer.error]) };
  const value = answer && valueOf(answer);
  if (value === undefined) return { ok: false, error: refusalOf(500, []) };
  return { ok: true, value };
}

function attempt<T>(one: () => T): BatchResult<T> {
  try {
    return { ok: true, value: one() };
  } catch (error) {
    return { ok: false, error: toHubError(error) };
  }
}

function missing(keyName: KeyName): HubError {
  return new HubError("KEY_NOT_FOUND", `This account has no key ${keyName}.`);
}
