import type { RotationReader } from "../../domain/rotation/rotation-store.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";
import { type FailureRow, type TotalsRow, type WalkedRow, walkedOf } from "./rotation-rows.ts";

type AcrossAccounts = Pick<
  RotationReader,
  | "due"
  | "followUpDue"
  | "accountsAfter"
  | "totals"
  | "settled"
  | "failures"
  | "inUse"
  | "backupsInUse"
  | "size"
  | "accountKeys"
>;

interface KeyRow {
  account_id: string;
  version: number;
  rotated_at: Date | null;
  since: Date;
  credentials: string;
  below: string;
}

/** By functions that look across accounts, and find nothing unless the hub's own is at work. */
export function acrossAccounts(session: Session): AcrossAccounts {
  const accounts = async (text: string, values: readonly unknown[]) =>
    (await session.query<WalkedRow>(text, values)).rows.map(walkedOf);
  return {
    due: (rotationId, { payloads, most }) =>
      accounts("select * from hub_rotation_due($1, $2, $3)", [rotationId, payloads, most]),

    followUpDue: ({ id, rotationId, ofAccount }, step, most) =>
      accounts("select * from hub_follow_up_due($1, $2, $3, $4, $5)", [rotationId, id, step, ofAccount ?? null, most]),

    accountsAfter: (accountId, most) => accounts("select * from hub_accounts_after($1, $2)", [accountId ?? null, most]),

    async totals(rotationId) {
      const { rows } = await session.query<TotalsRow>("select * from hub_rotation_totals($1)", [rotationId]);
      const [row] = rows;
      if (!row) throw new TypeError("a sum is one row");
      return {
        accounts: Number(row.accounts),
        accountsDone: Number(row.accounts_done),
        rotated: Number(row.rotated),
        skipped: Number(row.skipped),
        failed: Number(row.failed),
        remaining: Number(row.remaining),
        payloads: Number(row.payloads),
        failedPayloads: Number(row.failed_payloads),
      };
    },

    async settled(rotationId) {
      const { rows } = await session.query<{ settled: boolean }>("select hub_rotation_settled($1) as settled", [
        rotationId,
      ]);
      return rows[0]?.settled === true;
    },

    async failures(rotationId, most) {
      const { rows } = await session.query<FailureRow>("select * from hub_rotation_failures($1, $2)", [
        rotationId,
        most,
      ]);
      return rows.map((row) => ({
        accountId: row.of_account,
        kind: row.kind,
        recordId: row.record_id,
        code: row.code,
      }));
    },

    async inUse(rotationId) {
      const { rows } = await session.query<Record<"credentials" | "held" | "results" | "outcomes" | "backups", string>>(
        "select * from hub_keys_in_use($1)",
        [rotationId],
      );
      const [row] = rows;
      if (!row) throw new TypeError("what is in use is asked for by the hub's own account");
      return {
        credentials: Number(row.credentials),
        held: Number(row.held),
        results: Number(row.results),
        outcomes: Number(row.outcomes),
        backups: Number(row.backups),
      };
    },

    async backupsInUse(rotationId, most) {
      const { rows } = await session.query<{ id: string; file_name: string; created_at: Date }>(
        "select id, file_name, created_at from hub_backups_in_use($1, $2)",
        [rotationId, most],
      );
      return rows.map(({ id, file_name: fileName, created_at: createdAt }) => ({ id, fileName, createdAt }));
    },

    async size() {
      const { rows } = await session.query<{ accounts: string; credentials: string }>("select * from hub_walk_size()");
      return { accounts: Number(rows[0]?.accounts ?? 0), credentials: Number(rows[0]?.credentials ?? 0) };
    },

    async accountKeys(before, { limit, cursor }) {
      const [sinceMs, id] = decodeCursor(cursor, ["number", "uuid"]) ?? [];
      const after = typeof sinceMs === "number" ? new Date(sinceMs) : null;
      const { rows } = await session.query<KeyRow>("select * from hub_account_keys($1, $2, $3, $4)", [
        before,
        after,
        id ?? null,
        limit + 1,
      ]);
      const items = rows.slice(0, limit).map((row) => ({
        accountId: row.account_id,
        version: row.version,
        rotatedAt: row.rotated_at?.toISOString() ?? null,
        credentials: Number(row.credentials),
        below: Number(row.below),
      }));
      const last = rows[limit - 1];
      return rows.length > limit && last
        ? { items, next: encodeCursor([last.since.getTime(), last.account_id]) }
        : { items };
    },
  };
}
