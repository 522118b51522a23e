import type { RecordKind } from "../../../contracts/vault/rotation.ts";
import type {
  AccountWalk,
  CredentialCheck,
  FollowUp,
  Rotation,
  SealedPayload,
  WalkedAccount,
  WalkedBatch,
} from "../../domain/rotation/rotation-store.ts";

/** Rows of rotations as the database has them, and as the domain knows them. */

export interface RotationRow {
  id: string;
  rate_per_second: number | null;
  paused_at: Date | null;
  paused_by: string | null;
  pace: number | null;
  finalized_at: Date | null;
}

export interface FollowUpRow {
  id: string;
  rotation_id: string;
  kind: FollowUp["kind"];
  soak_minutes: number | null;
  soak_until: Date | null;
  soaked_at: Date | null;
  of_account: string | null;
}

export interface CheckRow {
  id: string;
  after_account: string | null;
  after_credential: string | null;
  after_lost: string | null;
  accounts: number;
  checked: number;
  opened: number;
  waiting: number;
  failed: number;
}

export interface WalkRow {
  rotation_id: string;
  fence: number;
  state: AccountWalk["state"];
  from_version: number;
  to_version: number | null;
  cursor: string | null;
  passes: number;
  batches: number;
  encryption_floor_at: Date | null;
  decryption_floor_at: Date | null;
  trimmed_at: Date | null;
}

export interface WalkedRow {
  account_id: string;
  principal_id: string | null;
}

export interface BatchRow {
  no: number;
  call_id: string;
  ids: string[];
  from_versions: number[];
  to_versions: number[];
  salt: Buffer;
  digest: string;
}

export interface PayloadRow {
  kind: SealedPayload["kind"];
  id: string;
  sealed: string;
}

export interface FailureRow {
  of_account: string;
  kind: RecordKind;
  record_id: string;
  code: string;
}

/** Counts come as text: they are 8 bytes wide. */
export type TotalsRow = Record<
  "accounts" | "accounts_done" | "rotated" | "skipped" | "failed" | "remaining" | "payloads" | "failed_payloads",
  string
>;

export const ROTATION_COLUMNS = "r.id, r.rate_per_second, r.paused_at, r.paused_by, r.pace, r.finalized_at";
export const FOLLOW_UP_COLUMNS = "f.id, f.rotation_id, f.kind, f.soak_minutes, f.soak_until, f.soaked_at, f.of_account";
export const WALK_COLUMNS = `w.rotation_id, w.fence, w.state, w.from_version, w.to_version, w.cursor, w.passes, w.batches,
  w.encryption_floor_at, w.decryption_floor_at, w.trimmed_at`;

export function rotationOf(row: RotationRow): Rotation {
  return {
    id: row.id,
    ...(row.rate_per_second !== null && { ratePerSecond: row.rate_per_second }),
    ...(row.paused_at !== null && { pausedAt: row.paused_at }),
    ...(row.paused_by !== null && { pausedBy: row.paused_by }),
    ...(row.pace !== null && { pace: row.pace }),
    ...(row.finalized_at !== null && { finalizedAt: row.finalized_at }),
  };
}

export function followUpOf(row: FollowUpRow): FollowUp {
  return {
    id: row.id,
    rotationId: row.rotation_id,
    kind: row.kind,
    ...(row.soak_minutes !== null && { soakMinutes: row.soak_minutes }),
    ...(row.soak_until !== null && { soakUntil: row.soak_until }),
    ...(row.soaked_at !== null && { soakedAt: row.soaked_at }),
    ...(row.of_account !== null && { ofAccount: row.of_account }),
  };
}

export function checkOf(row: CheckRow): CredentialCheck {
  const { id, accounts, checked, opened, waiting, failed } = row;
  return {
    ...{ id, accounts, checked, opened, waiting, failed },
    ...(row.after_account !== null && { afterAccount: row.after_account }),
    ...(row.after_credential !== null && { afterCredential: row.after_credential }),
    ...(row.after_lost !== null && { afterLost: row.after_lost }),
  };
}

export function walkOf(row: WalkRow): AccountWalk {
  const { fence, state, passes, batches } = row;
  return {
    ...{ rotationId: row.rotation_id, fence, state, fromVersion: row.from_version, passes, batches },
    ...(row.to_version !== null && { toVersion: row.to_version }),
    ...(row.cursor !== null && { cursor: row.cursor }),
    ...(row.encryption_floor_at !== null && { encryptionFloorAt: row.encryption_floor_at }),
    ...(row.decryption_floor_at !== null && { decryptionFloorAt: row.decryption_floor_at }),
    ...(row.trimmed_at !== null && { trimmedAt: row.trimmed_at }),
  };
}

export const walkedOf = ({ account_id: accountId, principal_id: principalId }: WalkedRow): WalkedAccount => ({
  accountId,
  ...(principalId !== null && { principalId }),
});

export const batchOf = (row: BatchRow): WalkedBatch => ({
  ...{ no: row.no, callId: row.call_id, ids: row.ids, salt: row.salt, digest: row.digest },
  ...{ fromVersions: row.from_versions, toVersions: row.to_versions },
});
