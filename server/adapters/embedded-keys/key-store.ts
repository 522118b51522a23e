import type { KeyName, KeyType } from "../../domain/keys/key-service.ts";

/** Where the embedded key service keeps its keys: never a secret in the clear. */
export interface KeyStore {
  /** False where the account has this version of the key already; then nothing changes. */
  insertVersion(accountId: string, keyName: KeyName, version: NewKeyVersion): Promise<boolean>;

  /** Oldest first; none where the account has no such key. */
  versions(accountId: string, keyName: KeyName): Promise<StoredKeyVersion[]>;
}

export interface NewKeyVersion {
  readonly version: number;
  readonly type: KeyType;
  /** The secret half as `wrapKey` made it. */
  readonly wrapped: Buffer;
  /** SPKI DER, where the key signs. */
  readonly publicKey: Buffer | null;
}

export interface StoredKeyVersion extends NewKeyVersion {
  readonly createdAt: Date;
}
