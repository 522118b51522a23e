import type { AccountKeyView, KeysInUse, RecordKind, RotationFailure } from "../../../contracts/vault/rotation.ts";
import type { CredentialFinding } from "../../../contracts/vault/verification.ts";
import type { ErrorCode } from "../../errors.ts";
import type { Page, PageRequest } from "../page.ts";

/** A rotation of all accounts' keys, in the hub's account; its operation, of the same id, has state and progress. */
export interface Rotation {
  readonly id: string;
  readonly ratePerSecond?: number;
  readonly pausedAt?: Date;
  readonly pausedBy?: string;
  /** Credentials a second, as last measured. */
  readonly pace?: number;
  readonly finalizedAt?: Date;
}

/** What follows a rotation, under its own operation's id. */
export interface FollowUp {
  readonly id: string;
  readonly rotationId: string;
  readonly kind: "finalization" | "trimming";
  readonly soakMinutes?: number;
  readonly soakUntil?: Date;
  /** The soak was over, and nothing was found below. */
  readonly soakedAt?: Date;
  /** Of one account alone. */
  readonly ofAccount?: string;
}

/** A look at all credentials: where it is, and what it came to by then. */
export interface CredentialCheck {
  readonly id: string;
  readonly afterAccount?: string;
  readonly afterCredential?: string;
  /** In the account under way all rows were looked at, and receipts up to here. */
  readonly afterLost?: string;
  readonly accounts: number;
  readonly checked: number;
  readonly opened: number;
  readonly waiting: number;
  readonly failed: number;
}

/**
 * How far a rotation is in one account. `recorded`: the version before is on record, and the key may or may not be rotated
 * by now; `rotated`: it is, and the walk goes on behind `cursor`; `done`: a pass came to its end.
 */
export interface AccountWalk {
  readonly rotationId: string;
  readonly fence: number;
  readonly state: "recorded" | "rotated" | "done";
  readonly fromVersion: number;
  /** Where the walk carries everything; absent while `recorded`. */
  readonly toVersion?: number;
  readonly cursor?: string;
  readonly passes: number;
  readonly batches: number;
  readonly encryptionFloorAt?: Date;
  readonly decryptionFloorAt?: Date;
  readonly trimmedAt?: Date;
}

/** The latest version to which a key's texts are carried: of a walk that has rotated. */
export type RotatedWalk = AccountWalk & { readonly toVersion: number };

export interface WrappedKey {
  readonly id: string;
  readonly wrapped: string;
  readonly version: number;
}

export interface SealedPayload {
  readonly kind: Exclude<RecordKind, "credential">;
  /** Of the request, or of the call that an outcome belongs to. */
  readonly id: string;
  readonly sealed: string;
}

/** An account in which the hub works, in the name of its own service there. */
export interface WalkedAccount {
  readonly accountId: string;
  /** Absent where the account has none. */
  readonly principalId?: string;
}

export interface WalkTotals {
  readonly accounts: number;
  readonly accountsDone: number;
  readonly rotated: number;
  readonly skipped: number;
  readonly failed: number;
  readonly remaining: number;
  readonly payloads: number;
  readonly failedPayloads: number;
}

/** A backup that is not retired, and needs a version from before. */
export interface BackupInUse {
  readonly id: string;
  readonly fileName: string;
  readonly createdAt: Date;
}

/** A step of what follows a rotation. */
export type FollowUpStep = "encryption" | "decryption" | "trim";

export interface Swap {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

export interface WalkedBatch {
  readonly no: number;
  readonly callId: string;
  readonly ids: readonly string[];
  readonly fromVersions: readonly number[];
  readonly toVersions: readonly number[];
  readonly salt: Buffer;
  readonly digest: string;
}

export interface RotationReader {
  rotation(id: string): Promise<Rotation | undefined>;
  /** Newest first. */
  rotations(page: PageRequest): Promise<Page<Rotation>>;
  followUp(id: string): Promise<FollowUp | undefined>;
  /** The latest finalization of a rotation. */
  finalization(rotationId: string): Promise<FollowUp | undefined>;
  check(id: string): Promise<CredentialCheck | undefined>;
  findings(checkId: string, most: number): Promise<CredentialFinding[]>;
  faults(operationId: string, most: number): Promise<{ readonly accountId: string; readonly code: string }[]>;

  walk(rotationId: string): Promise<AccountWalk | undefined>;
  /** Credentials under a version below, by id, without those that the rotation failed at. */
  credentialsBelow(
    rotationId: string,
    version: number,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<WrappedKey[]>;
  payloadsBelow(rotationId: string, version: number, limit: number): Promise<SealedPayload[]>;
  /** Whatever of the account's is under a version below. */
  countBelow(version: number): Promise<number>;
  /** In the order of their making. */
  batches(rotationId: string, page: PageRequest): Promise<Page<WalkedBatch>>;

  /** The operation of this kind that is under way. */
  running(kind: string): Promise<{ readonly id: string; readonly createdAt: Date } | undefined>;
  /** The account's own service, in whose name the hub works. */
  serviceId(): Promise<string | undefined>;

  /** Across accounts: these answer to the hub's own account alone. */
  due(rotationId: string, options: { readonly payloads: boolean; readonly most: number }): Promise<WalkedAccount[]>;
  followUpDue(followUp: FollowUp, step: FollowUpStep, most: number): Promise<WalkedAccount[]>;
  accountsAfter(accountId: string | undefined, most: number): Promise<WalkedAccount[]>;
  totals(rotationId: string): Promise<WalkTotals>;
  /** Whether every process of the hub has read its keys anew since the last one was rotated. */
  settled(rotationId: string): Promise<boolean>;
  failures(rotationId: string, most: number): Promise<RotationFailure[]>;
  inUse(rotationId: string): Promise<KeysInUse>;
  /** Oldest first. */
  backupsInUse(rotationId: string, most: number): Promise<BackupInUse[]>;
  size(): Promise<{ readonly accounts: number; readonly credentials: number }>;
  /** Oldest first: keys last made before, or with credentials below their version. */
  accountKeys(before: Date, page: PageRequest): Promise<Page<AccountKeyView>>;
}

export interface RotationWriter {
  add(rotation: Pick<Rotation, "id" | "ratePerSecond">): Promise<void>;
  addFollowUp(followUp: FollowUp): Promise<void>;
  addCheck(id: string): Promise<void>;
  /** Locked until the transaction ends. */
  lockRotation(id: string): Promise<Rotation | undefined>;
  pause(id: string, by: { readonly by: string; readonly at: Date } | undefined): Promise<void>;
  setPace(id: string, pace: number): Promise<void>;
  setFinalized(id: string, at: Date): Promise<void>;
  setSoak(id: string, until: Date): Promise<void>;
  setSoaked(id: string, at: Date): Promise<void>;
  advanceCheck(check: CredentialCheck, findings: readonly CredentialFinding[]): Promise<void>;
  addFault(operationId: string, accountId: string, code: ErrorCode, at: Date): Promise<void>;

  /** The version before, on record once: an account that has a walk of this rotation keeps it. False below its fence. */
  beginWalk(walk: {
    readonly rotationId: string;
    readonly fence: number;
    readonly fromVersion: number;
    readonly at: Date;
  }): Promise<boolean>;
  /** Takes the walk over, locked until the transaction ends; undefined where there is none, or a higher fence has it. */
  holdWalk(rotationId: string, fence: number): Promise<AccountWalk | undefined>;
  setRotated(rotationId: string, toVersion: number): Promise<void>;
  setAccountKey(version: number, at: Date): Promise<void>;
  /** Compare-and-set of each wrapped key. Answers with the ids of those that were what they were read as. */
  swapWrapped(swaps: readonly Swap[]): Promise<string[]>;
  swapPayloads(kind: SealedPayload["kind"], swaps: readonly Swap[]): Promise<string[]>;
  addBatch(rotationId: string, batch: WalkedBatch, at: Date): Promise<void>;
  addFailures(
    rotationId: string,
    failures: readonly { readonly kind: RecordKind; readonly id: string; readonly code: string }[],
    at: Date,
  ): Promise<void>;
  advanceWalk(
    rotationId: string,
    progress: {
      readonly cursor?: string;
      readonly again: boolean;
      readonly rotated: number;
      readonly payloads: number;
    },
  ): Promise<void>;
  /** Counts what was under the version already. */
  finishWalk(rotationId: string, at: Date): Promise<void>;
  /** From then on no credential is committed below. Waits for those who are storing one. */
  raiseFloor(version: number): Promise<void>;
  markStep(rotationId: string, step: FollowUpStep, at: Date): Promise<void>;
}
