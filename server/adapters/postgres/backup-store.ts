import type { BackupReader, BackupRow, BackupWriter } from "../../domain/backup/backup-store.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

interface Row {
  id: string;
  file_name: string;
  created_at: Date;
  finished_at: Date | null;
  bytes: string | null;
  records: string | null;
  digest: string | null;
  retired_at: Date | null;
  accounts: string;
}

/** What the command line writes when it makes one, in the hub's own account. */
export interface BackupKeeper extends BackupReader, BackupWriter {
  /** Before anything is read: notes the versions of all accounts' keys that are in use. */
  begin(accountId: string, backup: { readonly id: string; readonly fileName: string }): Promise<void>;
  /** Once the file has its name; `keyVersions` are those that it really holds. */
  finish(
    id: string,
    made: {
      readonly at: Date;
      readonly bytes: number;
      readonly records: number;
      readonly digest: string;
      readonly keyVersions: ReadonlyMap<string, number>;
    },
  ): Promise<void>;
}

const COLUMNS = `b.id, b.file_name, b.created_at, b.finished_at, b.bytes, b.records, b.digest, b.retired_at,
  hub_backup_accounts(b.id) as accounts`;

export function backupRows(session: Session): BackupKeeper {
  return {
    async byId(id) {
      const { rows } = await session.query<Row>(`select ${COLUMNS} from backup b where b.id = $1`, [id]);
      return rows[0] && backupOf(rows[0]);
    },

    async list({ limit, cursor }) {
      const before = decodeCursor(cursor, ["uuid"])?.[0];
      const { rows } = await session.query<Row>(
        `select ${COLUMNS} from backup b where ($1::uuid is null or b.id < $1) order by b.id desc limit $2`,
        [before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(backupOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    async retire(id, { by, at }) {
      const { rowCount } = await session.query(
        "update backup set retired_at = $2, retired_by = $3 where id = $1 and retired_at is null",
        [id, at, by],
      );
      return rowCount === 1;
    },

    async begin(accountId, { id, fileName }) {
      await session.query("insert into backup (account_id, id, file_name) values ($1, $2, $3)", [
        accountId,
        id,
        fileName,
      ]);
      await session.query("select hub_backup_begun($1)", [id]);
    },

    async finish(id, { at, bytes, records, digest, keyVersions }) {
      await session.query("select hub_backup_measured($1, $2, $3)", [
        id,
        [...keyVersions.keys()],
        [...keyVersions.values()],
      ]);
      await session.query(
        "update backup set finished_at = $2, bytes = $3, records = $4, digest = $5 where id = $1 and finished_at is null",
        [id, at, bytes, records, digest],
      );
    },
  };
}

function backupOf(row: Row): BackupRow {
  const { finished_at: at, bytes, records, digest } = row;
  return {
    ...{ id: row.id, fileName: row.file_name, createdAt: row.created_at },
    finished: at && digest !== null ? { at, bytes: Number(bytes), records: Number(records), digest } : undefined,
    retiredAt: row.retired_at ?? undefined,
    accounts: Number(row.accounts),
  };
}
