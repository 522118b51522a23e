import type { CredentialKind } from "../../../contracts/credentials/credential-kind.ts";
import type { Page, PageRequest } from "../page.ts";

/** A stored credential as its row says, its secret sealed. */
export interface CredentialRecord {
  readonly accountId: string;
  readonly id: string;
  readonly name: string;
  readonly kind: CredentialKind;
  readonly username: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly consumers: readonly string[];
  readonly expiresAt: Date | undefined;
  readonly rotateEveryDays: number | undefined;
  /** Grows with every change but a rewrap. */
  readonly version: number;
  /** Which of its secrets it is; 0: none was given yet. */
  readonly materialVersion: number;
  /** The data key under the account's key `data`. */
  readonly wrappedKey: string | undefined;
  /** AES-256-GCM: nonce, ciphertext, tag. */
  readonly sealed: Buffer | undefined;
  /** 32 random bytes, new with every version. */
  readonly salt: Buffer;
  /** SHA-256, as `credentialDigest` makes it. */
  readonly digest: Buffer;
}

/** With what is told of it and nothing depends on. */
export interface StoredCredential extends CredentialRecord {
  readonly description: string;
  readonly owner: { readonly id: string; readonly name: string };
  readonly keyVersion: number | undefined;
  readonly providedAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  /** `gitops/<repository>` of the repositories that name it. */
  readonly usedBy: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What the journal says was left of a credential: its latest version. */
export interface LeftInJournal {
  readonly version: number;
  /** Hexadecimal, or DELETED. */
  readonly digest: string;
}

/** In place of a digest: the credential was deleted, and no row may have its id any more. */
export const DELETED = "deleted";

export interface CredentialReader {
  byName(name: string): Promise<StoredCredential | undefined>;
  byId(id: string): Promise<StoredCredential | undefined>;
  /** By name. */
  list(page: PageRequest): Promise<Page<StoredCredential>>;
  /** Rows with what the journal has of them, seen at one moment, by id; from `after` on. */
  batch(after: string | undefined, limit: number): Promise<readonly JournalledRecord[]>;
  /** One row with what the journal has of it, seen at one moment. */
  journalled(id: string): Promise<JournalledRecord | undefined>;
  /** What the journal has of one, whether there is a row or not. */
  left(id: string): Promise<LeftInJournal | undefined>;
  /**
   * Credentials that the journal has and that have no row, in the order of their latest receipts. A page looks at so many
   * receipts and no more: it may be empty, and not be the last.
   */
  lost(page: PageRequest): Promise<Page<{ readonly id: string; readonly version: number }>>;
}

export interface JournalledRecord {
  readonly record: CredentialRecord;
  readonly latest: LeftInJournal | undefined;
}

/** A row that nobody else changes until the transaction ends, with what the journal has of it. */
export interface LockedCredential {
  readonly credential: StoredCredential;
  readonly latest: LeftInJournal | undefined;
}

export interface NewClaim {
  readonly id: string;
  readonly credentialId: string;
  /** SHA-256 of the code's secret. */
  readonly sha256: Buffer;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface ClaimRow extends NewClaim {
  readonly usedAt: Date | undefined;
  readonly replacedAt: Date | undefined;
}

export interface CredentialWriter {
  /** Locked until the transaction ends. */
  lock(name: string): Promise<LockedCredential | undefined>;
  /** Throws ALREADY_EXISTS where another call took the name meanwhile. */
  add(record: CredentialRecord & { description: string; by: string; at: Date }): Promise<void>;
  /** Writes what changes from version to version. */
  put(record: CredentialRecord & { providedAt: Date | undefined; at: Date }): Promise<void>;
  /** Throws IN_USE where something names it. */
  remove(id: string): Promise<void>;
  /** The open claim of the credential, if there is one, is replaced. */
  addClaim(claim: NewClaim): Promise<void>;
  /** Locked until the transaction ends. */
  lockClaim(id: string): Promise<ClaimRow | undefined>;
  /** A credential's one that is neither used nor replaced, locked; it may have expired. */
  openClaim(name: string): Promise<ClaimRow | undefined>;
  spendClaim(id: string, at: Date): Promise<void>;
  /** To the minute. */
  touch(id: string, at: Date): Promise<void>;
}

/** A claim by its code alone, whoever brings it. */
export interface FoundClaim {
  readonly accountId: string;
  /** Who asked: in whose name the secret is given. */
  readonly createdBy: string;
  readonly credential: string;
  readonly sha256: Buffer;
  readonly state: "open" | "used" | "replaced" | "expired";
  readonly expiresAt: Date;
}
