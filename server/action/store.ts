import type { ApprovalReader, ApprovalWriter } from "../domain/approvals/approval-store.ts";
import type { BackupReader, BackupWriter } from "../domain/backup/backup-store.ts";
import type { CredentialReader, CredentialWriter } from "../domain/credentials/credential-store.ts";
import type { EventReader, EventWriter } from "../domain/events/event-store.ts";
import type { OutcomeWriter, ReceiptReader } from "../domain/evidence/receipt-store.ts";
import type { FleetReader, FleetWriter } from "../domain/fleet/fleet-store.ts";
import type { GitopsReader, GitopsWriter } from "../domain/gitops/gitops-store.ts";
import type { IdentityDirectory, IdentityReader, IdentityWriter } from "../domain/identity/identity-store.ts";
import type { OperationReader, OperationWriter } from "../domain/operations/operation-store.ts";
import type { PolicyReader, PolicyWriter } from "../domain/policy/policy-store.ts";
import type { RotationReader, RotationWriter } from "../domain/rotation/rotation-store.ts";
import type { IdempotencyWriter } from "./idempotency.ts";

/** One account's rows, by area. What reads cannot write. */
export interface Reader {
  readonly identity: IdentityReader & IdentityDirectory;
  readonly policy: PolicyReader;
  readonly approvals: ApprovalReader;
  readonly receipts: ReceiptReader;
  readonly events: EventReader;
  readonly fleet: FleetReader;
  readonly gitops: GitopsReader;
  readonly credentials: CredentialReader;
  readonly operations: OperationReader;
  readonly rotation: RotationReader;
  readonly backups: BackupReader;
}

export interface Transaction {
  readonly identity: IdentityReader & IdentityDirectory & IdentityWriter;
  readonly policy: PolicyReader & PolicyWriter;
  readonly approvals: ApprovalReader & ApprovalWriter;
  readonly receipts: ReceiptReader;
  readonly events: EventReader & EventWriter;
  readonly fleet: FleetReader & FleetWriter;
  readonly gitops: GitopsReader & GitopsWriter;
  readonly credentials: CredentialReader & CredentialWriter;
  readonly operations: OperationReader & OperationWriter;
  readonly rotation: RotationReader & RotationWriter;
  readonly backups: BackupReader & BackupWriter;
  /** The gate's own: the outcome and the idempotency key commit with the effect. Handlers leave these alone. */
  readonly outcomes: OutcomeWriter;
  readonly idempotency: IdempotencyWriter;
  readonly targets: TargetLock;
}

/** Changes of one target happen one after the other: what was judged is what is changed. */
export interface TargetLock {
  /** Until the transaction ends. */
  lock(type: string, id: string): Promise<void>;
}

/**
 * The hub's rows of one account at a time.
 *
 * `transact` commits when `fn` resolves and rolls back when it throws; a commit that turned into a rollback is an
 * error. Throws STORE_UNAVAILABLE where the database does not answer, CANCELLED where `signal` fired.
 */
export interface Store {
  read<T>(accountId: string, fn: (read: Reader) => Promise<T>, signal?: AbortSignal): Promise<T>;
  transact<T>(accountId: string, fn: (tx: Transaction) => Promise<T>, signal?: AbortSignal): Promise<T>;
}
