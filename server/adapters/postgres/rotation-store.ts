import type { RotationReader, RotationWriter, SealedPayload, Swap } from "../../domain/rotation/rotation-store.ts";
import type { Session } from "./database.ts";
import { rotationReader } from "./rotation-reader.ts";
import { ROTATION_COLUMNS, type RotationRow, rotationOf, WALK_COLUMNS, type WalkRow, walkOf } from "./rotation-rows.ts";

const ACCOUNT = "current_setting('app.account_id')::uuid";

/** Each text that is still what was read is replaced; who was faster is left alone. */
const SWAP: Readonly<Record<SealedPayload["kind"] | "credential", string>> = {
  credential: swapping("credential", "id", "wrapped_key"),
  held: swapping("approval_request", "id", "held"),
  result: swapping("approval_request", "id", "result"),
  outcome: swapping("idempotency", "call_id", "outcome"),
};

const MARK = { encryption: "encryption_floor_at", decryption: "decryption_floor_at", trim: "trimmed_at" } as const;

export function rotationStore(session: Session): RotationReader & RotationWriter {
  const swap = async (kind: keyof typeof SWAP, swaps: readonly Swap[]): Promise<string[]> => {
    if (swaps.length === 0) return [];
    const { rows } = await session.query<{ id: string }>(SWAP[kind], [
      swaps.map(({ id }) => id),
      swaps.map(({ from }) => from),
      swaps.map(({ to }) => to),
    ]);
    return rows.map(({ id }) => id);
  };
  return {
    ...rotationReader(session),
    ...hubRows(session),
    ...walkRows(session),

    swapWrapped: (swaps) => swap("credential", swaps),
    swapPayloads: swap,

    async addBatch(rotationId, batch, at) {
      await session.query(
        `insert into key_walk_batch (account_id, rotation_id, no, call_id, ids, from_versions, to_versions, salt, digest, at)
         values (${ACCOUNT}, $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          ...[rotationId, batch.no, batch.callId, batch.ids, batch.fromVersions, batch.toVersions],
          ...[batch.salt, batch.digest, at],
        ],
      );
    },

    async addFailures(rotationId, failures, at) {
      await session.query(
        `insert into key_walk_failure (account_id, rotation_id, kind, record_id, code, at)
         select ${ACCOUNT}, $1, f.kind, f.id, f.code, $5 from unnest($2::text[], $3::uuid[], $4::text[]) f(kind, id, code)
         on conflict do nothing`,
        [
          rotationId,
          failures.map(({ kind }) => kind),
          failures.map(({ id }) => id),
          failures.map(({ code }) => code),
          at,
        ],
      );
    },

    async raiseFloor(version) {
      await session.query(
        "update account set transit_key_floor = greatest(transit_key_floor, $1) where id = " + ACCOUNT,
        [version],
      );
    },

    async setAccountKey(version, at) {
      await session.query(
        `update account set transit_key_version = greatest(transit_key_version, $1), transit_key_rotated_at = $2
         where id = ${ACCOUNT}`,
        [version, at],
      );
    },
  };
}

type HubRows = Pick<
  RotationWriter,
  | "add"
  | "addFollowUp"
  | "addCheck"
  | "lockRotation"
  | "pause"
  | "setPace"
  | "setFinalized"
  | "setSoak"
  | "setSoaked"
  | "advanceCheck"
  | "addFault"
>;

/** What the hub's own account keeps of its operations. */
function hubRows(session: Session): HubRows {
  return {
    async add({ id, ratePerSecond }) {
      await session.query(`insert into key_rotation (account_id, id, rate_per_second) values (${ACCOUNT}, $1, $2)`, [
        id,
        ratePerSecond ?? null,
      ]);
    },

    async addFollowUp({ id, rotationId, kind, soakMinutes, ofAccount }) {
      await session.query(
        `insert into key_follow_up (account_id, id, rotation_id, kind, soak_minutes, of_account)
         values (${ACCOUNT}, $1, $2, $3, $4, $5)`,
        [id, rotationId, kind, soakMinutes ?? null, ofAccount ?? null],
      );
    },

    async addCheck(id) {
      await session.query(`insert into key_check (account_id, id) values (${ACCOUNT}, $1)`, [id]);
    },

    async lockRotation(id) {
      const { rows } = await session.query<RotationRow>(
        `select ${ROTATION_COLUMNS} from key_rotation r where r.id = $1 for update`,
        [id],
      );
      return rows[0] && rotationOf(rows[0]);
    },

    async pause(id, by) {
      await session.query("update key_rotation set paused_at = $2, paused_by = $3 where id = $1", [
        id,
        by?.at ?? null,
        by?.by ?? null,
      ]);
    },

    async setPace(id, pace) {
      await session.query("update key_rotation set pace = $2 where id = $1", [id, pace]);
    },

    async setFinalized(id, at) {
      await session.query("update key_rotation set finalized_at = coalesce(finalized_at, $2) where id = $1", [id, at]);
    },

    async setSoak(id, until) {
      await session.query("update key_follow_up set soak_until = coalesce(soak_until, $2) where id = $1", [id, until]);
    },

    async setSoaked(id, at) {
      await session.query("update key_follow_up set soaked_at = coalesce(soaked_at, $2) where id = $1", [id, at]);
    },

    async advanceCheck({ id, afterAccount, afterCredential, afterLost, ...counts }, findings) {
      const { accounts, checked, opened, waiting, failed } = counts;
      await session.query(
        `update key_check set after_account = $2, after_credential = $3, after_lost = $4, accounts = $5, checked = $6,
           opened = $7, waiting = $8, failed = $9
         where id = $1`,
        [
          ...[id, afterAccount ?? null, afterCredential ?? null, afterLost ?? null],
          ...[accounts, checked, opened, waiting, failed],
        ],
      );
      if (findings.length === 0) return;
      await session.query(
        `insert into key_check_finding (account_id, check_id, of_account, credential_id, code)
         select ${ACCOUNT}, $1, f.account, f.credential, f.code
         from unnest($2::uuid[], $3::uuid[], $4::text[]) f(account, credential, code) on conflict do nothing`,
        [
          id,
          findings.map((one) => one.accountId),
          findings.map((one) => one.credentialId),
          findings.map((one) => one.code),
        ],
      );
    },

    async addFault(operationId, accountId, code, at) {
      await session.query(
        `insert into key_walk_fault (account_id, operation_id, of_account, code, at) values (${ACCOUNT}, $1, $2, $3, $4)
         on conflict do nothing`,
        [operationId, accountId, code, at],
      );
    },
  };
}

type WalkRows = Pick<
  RotationWriter,
  "beginWalk" | "holdWalk" | "setRotated" | "advanceWalk" | "finishWalk" | "markStep"
>;

/** An account's own row of a rotation's walk. */
function walkRows(session: Session): WalkRows {
  return {
    async beginWalk({ rotationId, fence, fromVersion, at }) {
      const { rowCount } = await session.query(
        `insert into key_walk as w (account_id, rotation_id, fence, state, from_version, recorded_at)
         values (${ACCOUNT}, $1, $2, 'recorded', $3, $4)
         on conflict (account_id, rotation_id) do update set fence = excluded.fence where w.fence <= excluded.fence`,
        [rotationId, fence, fromVersion, at],
      );
      return rowCount === 1;
    },

    async holdWalk(rotationId, fence) {
      const { rows } = await session.query<WalkRow>(
        `update key_walk w set fence = $2 where w.rotation_id = $1 and w.fence <= $2 returning ${WALK_COLUMNS}`,
        [rotationId, fence],
      );
      return rows[0] && walkOf(rows[0]);
    },

    async setRotated(rotationId, toVersion) {
      // the database's clock, which the look at whether every process knows the new version compares with
      await session.query(
        `update key_walk set state = 'rotated', to_version = $2, rotated_at = clock_timestamp()
         where rotation_id = $1 and state = 'recorded'`,
        [rotationId, toVersion],
      );
    },

    async advanceWalk(rotationId, { cursor, again, rotated, payloads }) {
      await session.query(
        `update key_walk set batches = batches + 1, rotated = rotated + $4, payloads = payloads + $5,
           cursor = case when $3 then $2 else coalesce($2, cursor) end,
           passes = passes + case when $3 then 1 else 0 end,
           state = case when $3 then 'rotated' else state end
         where rotation_id = $1`,
        [rotationId, cursor ?? null, again, rotated, payloads],
      );
    },

    async finishWalk(rotationId, at) {
      await session.query(
        `update key_walk w set state = 'done', done_at = $2,
           skipped = greatest(0, (select count(*) from credential c where c.key_version >= w.to_version) - w.rotated)
         where w.rotation_id = $1`,
        [rotationId, at],
      );
    },

    async markStep(rotationId, step, at) {
      await session.query(`update key_walk set ${MARK[step]} = coalesce(${MARK[step]}, $2) where rotation_id = $1`, [
        rotationId,
        at,
      ]);
    },
  };
}

function swapping(table: string, id: string, column: string): string {
  return `update ${table} t set ${column} = s.after from unnest($1::uuid[], $2::text[], $3::text[]) s(id, before, after)
    where t.${id} = s.id and t.${column} = s.before returning t.${id} as id`;
}
