/**
 * The one door to an account's long-lived keys. A key has a name, a type and numbered versions; its secret never leaves
 * the service. Adapters pass the contract suite `key-service.contract.ts`.
 *
 * Every method throws KEY_SERVICE_UNREACHABLE where the service does not answer or cannot open its keys, and
 * STORE_UNAVAILABLE where they are in the hub's database and that does not answer; all but `create` throw KEY_NOT_FOUND where the account has no such key, and KEY_TYPE_MISMATCH where the key is there for
 * something else.
 */
export interface KeyService {
  /** Makes version 1 of a key unless the account has the key already. Any number of processes may ask at once. */
  create(accountId: string, keyName: KeyName): Promise<void>;

  /** Type and versions of a key, with the public halves of those that sign. */
  metadata(accountId: string, keyName: KeyName): Promise<KeyMetadata>;

  /** Ed25519 over the message, with the latest version. */
  sign(accountId: string, keyName: KeyName, message: Uint8Array): Promise<KeySignature>;

  /** Whether the version of the key signed the message; false for versions that the key does not have. */
  verify(accountId: string, keyName: KeyName, message: Uint8Array, signature: KeySignature): Promise<boolean>;

  /** Encrypts with the latest version: `vault:vN:` and Base 64 of nonce (12 bytes), ciphertext and tag (16 bytes). */
  encrypt(accountId: string, keyName: KeyName, plaintext: Uint8Array, options?: EncryptionOptions): Promise<string>;

  /**
   * Decrypts what `encrypt` made. Throws CIPHERTEXT_INVALID where it was made by another key, for other associated data, or
   * was changed, and KEY_VERSION_TOO_OLD where its version of the key is gone.
   */
  decrypt(accountId: string, keyName: KeyName, ciphertext: string, options?: EncryptionOptions): Promise<Buffer>;

  /**
   * HMAC-SHA-256 with the latest version or the one named. Keep the version with the result: a hash cannot be carried over
   * to a new version. Throws KEY_VERSION_TOO_OLD where that version is gone, KEY_NOT_FOUND where it never was.
   */
  hmac(accountId: string, keyName: KeyName, input: Uint8Array, version?: number): Promise<KeyedHash>;
}

/** What an account has keys for. */
export const KEY_TYPES = {
  /** Certifies process keys and policies: what a stranger trusts in this account. */
  root: "ed25519",
  /** Encrypts bodies and credentials. */
  data: "aes256-gcm96",
  /** Compares inputs without showing a digest of them. */
  mac: "hmac",
} as const;

export type KeyName = keyof typeof KEY_TYPES;
export type KeyType = (typeof KEY_TYPES)[KeyName];

export const KEY_NAMES = Object.keys(KEY_TYPES) as readonly KeyName[];

export interface KeyMetadata {
  readonly name: KeyName;
  readonly type: KeyType;
  readonly latestVersion: number;
  /** Those that still exist, oldest first. */
  readonly versions: readonly KeyVersion[];
}

export interface KeyVersion {
  readonly version: number;
  readonly createdAt: Date;
  /** SPKI DER, where the key signs. */
  readonly publicKey?: Buffer;
}

export interface KeySignature {
  readonly version: number;
  /** 64 bytes. */
  readonly signature: Buffer;
}

export interface KeyedHash {
  readonly version: number;
  /** 32 bytes. */
  readonly mac: Buffer;
}

export interface EncryptionOptions {
  /** Authenticated and not kept: decrypting needs the same bytes again. Says which record the plaintext belongs to. */
  readonly associatedData?: Uint8Array;
}
