import type { RotationReader } from "../../domain/rotation/rotation-store.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";
import { acrossAccounts } from "./rotation-across.ts";
import {
  type BatchRow,
  batchOf,
  type CheckRow,
  checkOf,
  FOLLOW_UP_COLUMNS,
  type FollowUpRow,
  followUpOf,
  type PayloadRow,
  ROTATION_COLUMNS,
  type RotationRow,
  rotationOf,
  WALK_COLUMNS,
  type WalkRow,
  walkOf,
} from "./rotation-rows.ts";

const FIRST_ID = "00000000-0000-0000-0000-000000000000";
const ACCOUNT = "current_setting('app.account_id')::uuid";

export function rotationReader(session: Session): RotationReader {
  const first = async <R extends object>(text: string, values: readonly unknown[]): Promise<R | undefined> =>
    (await session.query<R>(text, values)).rows[0];
  return {
    ...acrossAccounts(session),

    async rotation(id) {
      const row = await first<RotationRow>(`select ${ROTATION_COLUMNS} from key_rotation r where r.id = $1`, [id]);
      return row && rotationOf(row);
    },

    async rotations({ limit, cursor }) {
      const before = decodeCursor(cursor, ["uuid"])?.[0];
      const { rows } = await session.query<RotationRow>(
        `select ${ROTATION_COLUMNS} from key_rotation r where ($1::uuid is null or r.id < $1) order by r.id desc limit $2`,
        [before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(rotationOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    async followUp(id) {
      const row = await first<FollowUpRow>(`select ${FOLLOW_UP_COLUMNS} from key_follow_up f where f.id = $1`, [id]);
      return row && followUpOf(row);
    },

    async finalization(rotationId) {
      const row = await first<FollowUpRow>(
        `select ${FOLLOW_UP_COLUMNS} from key_follow_up f where f.rotation_id = $1 and f.kind = 'finalization'
         order by f.id desc limit 1`,
        [rotationId],
      );
      return row && followUpOf(row);
    },

    async check(id) {
      const row = await first<CheckRow>(
        "select id, after_account, after_credential, after_lost, accounts, checked, opened, waiting, failed from key_check where id = $1",
        [id],
      );
      return row && checkOf(row);
    },

    async findings(checkId, most) {
      const { rows } = await session.query<{ of_account: string; credential_id: string; code: string }>(
        `select of_account, credential_id, code from key_check_finding where check_id = $1
         order by of_account, credential_id limit $2`,
        [checkId, most],
      );
      return rows.map((row) => ({ accountId: row.of_account, credentialId: row.credential_id, code: row.code }));
    },

    async faults(operationId, most) {
      const { rows } = await session.query<{ of_account: string; code: string }>(
        "select of_account, code from key_walk_fault where operation_id = $1 order by of_account limit $2",
        [operationId, most],
      );
      return rows.map((row) => ({ accountId: row.of_account, code: row.code }));
    },

    async running(kind) {
      const row = await first<{ id: string; created_at: Date }>(
        "select id, created_at from operation where kind = $1 and state = 'working' limit 1",
        [kind],
      );
      return row && { id: row.id, createdAt: row.created_at };
    },

    async serviceId() {
      return (await first<{ id: string }>("select id from principal where roles = array['hub']", []))?.id;
    },

    async walk(rotationId) {
      const row = await first<WalkRow>(`select ${WALK_COLUMNS} from key_walk w where w.rotation_id = $1`, [rotationId]);
      return row && walkOf(row);
    },

    async credentialsBelow(rotationId, version, { after, limit }) {
      // along the primary key: by the index of versions every batch would read all that is left (hence the `+ 0`)
      const { rows } = await session.query<{ id: string; wrapped_key: string; key_version: number }>(
        `select c.id, c.wrapped_key, c.key_version from credential c
         where c.key_version + 0 < $2 and c.id > $3 and not exists
           (select from key_walk_failure f where f.rotation_id = $1 and f.kind = 'credential' and f.record_id = c.id)
         order by c.account_id, c.id limit $4`,
        [rotationId, version, after ?? FIRST_ID, limit],
      );
      return rows.map((row) => ({ id: row.id, wrapped: row.wrapped_key, version: row.key_version }));
    },

    async payloadsBelow(rotationId, version, limit) {
      const { rows } = await session.query<PayloadRow>(
        `select s.kind, s.id, s.sealed from hub_sealed_payloads(${ACCOUNT}) s
         where hub_sealed_version(s.sealed) < $2 and not exists
           (select from key_walk_failure f where f.rotation_id = $1 and f.kind = s.kind and f.record_id = s.id)
         limit $3`,
        [rotationId, version, limit],
      );
      return rows;
    },

    async countBelow(version) {
      const row = await first<{ n: string }>(
        `select (select count(*) from credential where key_version < $1)
           + (select count(*) from hub_sealed_payloads(${ACCOUNT}) s where hub_sealed_version(s.sealed) < $1) as n`,
        [version],
      );
      return Number(row?.n ?? 0);
    },

    async batches(rotationId, { limit, cursor }) {
      const after = decodeCursor(cursor, ["number"])?.[0] ?? 0;
      const { rows } = await session.query<BatchRow>(
        `select no, call_id, ids, from_versions, to_versions, salt, digest from key_walk_batch
         where rotation_id = $1 and no > $2 order by no limit $3`,
        [rotationId, after, limit + 1],
      );
      const items = rows.slice(0, limit).map(batchOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.no]) } : { items };
    },
  };
}
