import type { KeyName, KeyRules, KeyType } from "../../domain/keys/key-service.ts";

/** Where the embedded key service keeps its keys: never a secret in the clear. */
export interface KeyStore {
  /** Of the keys that the account has, in no order. */
  names(accountId: string): Promise<KeyName[]>;

  /** Undefined where the account has no such key. */
  key(accountId: string, keyName: KeyName): Promise<StoredKey | undefined>;

  /**
   * Carries out what `decide` says, at once or not at all; changes of one key wait for each other, and no root key is
   * replaced meanwhile. Throws what `decide` throws.
   */
  change(accountId: string, keyName: KeyName, decide: Decide): Promise<void>;
}

export type Decide = (standing: StoredKey | undefined) => Promise<KeyChange | undefined>;

export interface StoredKey {
  readonly rules: StoredRules;
  /** Oldest first, at least one. */
  readonly versions: readonly StoredKeyVersion[];
}

export interface StoredRules extends KeyRules {
  readonly derived: boolean;
  readonly minAvailableVersion: number;
}

/** Of a key that has none stored. */
export const FIRST_RULES: StoredRules = {
  derived: false,
  minDecryptionVersion: 1,
  minEncryptionVersion: 0,
  minAvailableVersion: 0,
  deletionAllowed: false,
};

export type KeyChange =
  | { readonly add?: NewKeyVersion; readonly rules?: StoredRules; readonly destroyBelow?: number }
  | { readonly remove: true };

export interface NewKeyVersion {
  readonly version: number;
  readonly type: KeyType;
  /** The secret half as `makeKeyVersion` wrapped it. */
  readonly wrapped: Buffer;
  /** SPKI DER, where the key signs. */
  readonly publicKey: Buffer | null;
}

export interface StoredKeyVersion extends NewKeyVersion {
  readonly createdAt: Date;
}
