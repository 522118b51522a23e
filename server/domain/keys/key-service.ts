import type { HubError } from "../../errors.ts";
import type { KeyName, KeyType } from "./key-types.ts";

export { KEY_NAMES, KEY_TYPES, type KeyName, type KeyType } from "./key-types.ts";

/**
 * The one door to an account's long-lived keys. A key has a name, a type and numbered versions; its secret never leaves
 * the service. Adapters pass the contract suite `key-service.contract.ts`, and follow the rules of Vault's and OpenBao's
 * transit engine, so that one can stand in for the other.
 *
 * Every method throws KEY_SERVICE_UNREACHABLE where the service does not answer or cannot open its keys,
 * KEY_SERVICE_SEALED where it has to be unsealed first, KEY_SERVICE_DENIED where it does not let the hub, and
 * STORE_UNAVAILABLE where the keys are in the hub's database and that does not answer; all but `create` and `list` throw
 * KEY_NOT_FOUND where the account has no such key, and KEY_TYPE_MISMATCH where the key is there for something else. What
 * is too large is INPUT_TOO_LARGE (see limits.ts). A method that throws has changed nothing, but for `rotate`.
 */
export interface KeyService {
  /**
   * Makes version 1 of a key unless the account has the key already. Any number of processes may ask at once. Throws
   * KEY_TYPE_MISMATCH where the key is there and is of another kind, or where no such kind can be derived.
   */
  create(accountId: string, keyName: KeyName, options?: NewKey): Promise<void>;

  /** The names of the account's keys, sorted. */
  list(accountId: string): Promise<KeyName[]>;

  /** Type, rules and usable versions of a key, with the public halves of those that sign. */
  metadata(accountId: string, keyName: KeyName): Promise<KeyMetadata>;

  /**
   * Signs with the latest version: Ed25519 over the message, or ECDSA P-256 over its SHA-256, in DER.
   */
  sign(accountId: string, keyName: KeyName, message: Uint8Array): Promise<KeySignature>;

  /**
   * Whether the version of the key signed the message; false for versions that the key does not have. Throws
   * KEY_VERSION_TOO_OLD below the least version that decrypts.
   */
  verify(accountId: string, keyName: KeyName, message: Uint8Array, signature: KeySignature): Promise<boolean>;

  /** Encrypts with the latest version: `vault:vN:` and Base 64 of nonce (12 bytes), ciphertext and tag (16 bytes). */
  encrypt(accountId: string, keyName: KeyName, plaintext: Uint8Array, options?: EncryptionOptions): Promise<string>;

  /** As `encrypt`, item by item; one that fails keeps none of the others back. At most BATCH_LIMIT items. */
  encryptBatch(accountId: string, keyName: KeyName, items: readonly PlainItem[]): Promise<BatchResult<string>[]>;

  /**
   * Decrypts what `encrypt` made. Throws CIPHERTEXT_INVALID where it was made by another key, for other associated data or
   * another context, or was changed, and KEY_VERSION_TOO_OLD where its version may not be used any more.
   */
  decrypt(accountId: string, keyName: KeyName, ciphertext: string, options?: EncryptionOptions): Promise<Buffer>;

  decryptBatch(accountId: string, keyName: KeyName, items: readonly CipherItem[]): Promise<BatchResult<Buffer>[]>;

  /**
   * The same plaintext under the latest version, without showing it. What is under that version already is encrypted anew
   * too: compare versions (ciphertext.ts), not texts. What has associated data cannot be rewrapped (CIPHERTEXT_INVALID):
   * the transit engine takes none here; bind records by the context of a derived key. Throws as `decrypt`.
   */
  rewrap(accountId: string, keyName: KeyName, ciphertext: string, options?: DerivationOptions): Promise<string>;

  rewrapBatch(accountId: string, keyName: KeyName, items: readonly RewrapItem[]): Promise<BatchResult<string>[]>;

  /**
   * HMAC-SHA-256 with the latest version or the one named. Keep the version with the result: a hash cannot be carried over
   * to a new version. Throws KEY_VERSION_TOO_OLD where that version may not be used any more (below
   * `minEncryptionVersion` or `minDecryptionVersion`), KEY_NOT_FOUND where it never was.
   */
  hmac(accountId: string, keyName: KeyName, input: Uint8Array, version?: number): Promise<KeyedHash>;

  /**
   * Whether `hmac` made this hash of this input; false for versions that the key does not have. Throws KEY_VERSION_TOO_OLD
   * below `minDecryptionVersion` alone, so that a hash is checked longer than it is made.
   */
  verifyHmac(accountId: string, keyName: KeyName, input: Uint8Array, hash: KeyedHash): Promise<boolean>;

  /** A fresh key of 32 bytes, in the clear to use and forget, and as `encrypt` would write it. */
  dataKey(accountId: string, keyName: KeyName, options?: DerivationOptions): Promise<DataKey>;

  /**
   * Makes the next version, the latest from now on; older ones go on decrypting. Where it throws, the version may have been
   * made all the same: ask for the metadata, never again blindly.
   */
  rotate(accountId: string, keyName: KeyName): Promise<KeyMetadata>;

  /**
   * Changes the rules that are named. Throws CONFLICT, with nothing changed, where they do not go together: both versions
   * at most the latest and at least the least available, encryption at least decryption unless it is 0.
   */
  configure(accountId: string, keyName: KeyName, rules: Partial<KeyRules>): Promise<KeyMetadata>;

  /**
   * Destroys every version below the one named, for ever. Throws CONFLICT unless that is at most both least versions, of
   * which encryption's has to be set, and no step back.
   */
  trim(accountId: string, keyName: KeyName, minAvailableVersion: number): Promise<KeyMetadata>;

  /** Destroys the key with all its versions. Throws CONFLICT unless its rules allow that. */
  delete(accountId: string, keyName: KeyName): Promise<void>;
}

export interface NewKey {
  /** The one that KEY_TYPES gives the name where absent. */
  readonly type?: KeyType;
  /** Each context has a key of its own, HKDF-SHA-256 of this one; for types that encrypt. */
  readonly derived?: boolean;
}

export interface KeyRules {
  /** Versions below decrypt and verify no more; 1 at first. */
  readonly minDecryptionVersion: number;
  /** Versions below make no hashes any more; 0, no limit, at first. */
  readonly minEncryptionVersion: number;
  readonly deletionAllowed: boolean;
}

export interface KeyMetadata extends KeyRules {
  readonly name: KeyName;
  readonly type: KeyType;
  readonly derived: boolean;
  readonly latestVersion: number;
  /** The oldest version that was not trimmed; 0 where none ever was. */
  readonly minAvailableVersion: number;
  /** Those that may be used, from `minDecryptionVersion` on, oldest first. */
  readonly versions: readonly KeyVersion[];
}

export interface KeyVersion {
  readonly version: number;
  /** Vault and OpenBao do not tell it of keys for hashes. */
  readonly createdAt?: Date;
  /** SPKI DER, where the key signs. */
  readonly publicKey?: Buffer;
}

export interface KeySignature {
  readonly version: number;
  /** Ed25519: 64 bytes; ECDSA: DER. */
  readonly signature: Buffer;
}

export interface KeyedHash {
  readonly version: number;
  /** 32 bytes. */
  readonly mac: Buffer;
}

export interface DataKey {
  readonly plaintext: Buffer;
  readonly ciphertext: string;
}

export interface DerivationOptions {
  /**
   * Which of a derived key's keys: needed there, and refused (KEY_TYPE_MISMATCH) elsewhere, where it would bind nothing.
   * Not empty.
   */
  readonly context?: Uint8Array;
}

export interface EncryptionOptions extends DerivationOptions {
  /** Authenticated and not kept: decrypting needs the same bytes again. Says which record the plaintext belongs to. */
  readonly associatedData?: Uint8Array;
}

export interface PlainItem extends EncryptionOptions {
  readonly plaintext: Uint8Array;
}

export interface CipherItem extends EncryptionOptions {
  readonly ciphertext: string;
}

export interface RewrapItem extends DerivationOptions {
  readonly ciphertext: string;
}

/** What became of one item of a batch, in the order of the items. */
export type BatchResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: HubError };
