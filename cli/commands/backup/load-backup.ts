import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest, Total, Totals } from "../../../contracts/backup/manifest.ts";
import { migrate } from "../../../prisma/migrate.ts";
import { MIGRATIONS_DIR } from "../../../prisma/migration-history.ts";
import {
  BackupLoader,
  isEmptyDatabase,
  notEmpty,
  refusedRows,
} from "../../../server/adapters/postgres/backup-loader.ts";
import { type Login, ownerSession } from "../../../server/adapters/postgres/owner-session.ts";
import { markLoaded, readMarker, setMarker } from "../../../server/adapters/postgres/restore-marker.ts";
import { crashPoint } from "../../../server/config/crash-point.ts";
import { HubError } from "../../../server/errors.ts";
import type { OpenedBackup } from "./read-backup.ts";

/** A database for a backup, and who will work with it. */
export interface RestorePlace {
  readonly owner: Login;
  readonly runtimeRole: string;
}

type Session = Awaited<ReturnType<typeof ownerSession>>;

/** Advisory lock: one restore at a time. */
const RESTORING = "7310, 6";

/**
 * Migrates an empty database to where the backup was, and fills it in one transaction: all of it is there afterwards, as
 * its totals say, or nothing. From its beginning the database is marked, so that no hub starts on it; a restore of this
 * backup that was broken off after its rows were there is not done again.
 * @throws HubError DATABASE_NOT_EMPTY, BACKUP_DAMAGED, CONFLICT (another restore), DATABASE_*, MIGRATION_*
 */
export async function loadBackup(
  place: RestorePlace,
  backup: OpenedBackup,
  onTable: (name: string, done: number, of: number) => void,
): Promise<void> {
  const client = await ownerSession(place.owner);
  try {
    const { rows } = await client.query<{ mine: boolean }>(`select pg_try_advisory_lock(${RESTORING}) as mine`);
    if (!rows[0]?.mine) throw new HubError("CONFLICT", "Another restore into this database is under way.");
    const marker = await readMarker(client);
    if (marker?.loaded) {
      if (marker.backupId !== backup.manifest.id) throw notEmpty();
      for await (const _piece of backup.tables()); // what it says of keys is read on the way
      return;
    }
    if (!(await isEmptyDatabase(client))) throw notEmpty();
    await migrateTo(place, backup.manifest);
    await setMarker(client, backup.manifest.id);
    await fill(client, backup, onTable);
  } finally {
    await client.end(); // ends the lock, and what was not committed
  }
}

/** Exactly the migrations that the backup was made under; the newer ones are for its rows to go through. */
async function migrateTo({ owner, runtimeRole }: RestorePlace, { migrations }: Manifest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-migrations-"));
  try {
    for (const { name } of migrations) await cp(join(MIGRATIONS_DIR, name), join(folder, name), { recursive: true });
    // its role's privileges come with the newest migrations
    await migrate(owner, runtimeRole, { migrationsDir: folder, privileges: {}, restoring: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(
  client: Session,
  backup: OpenedBackup,
  onTable: (name: string, done: number, of: number) => void,
): Promise<void> {
  await client.query("begin");
  try {
    const loader = await BackupLoader.begin(client, backup.manifest);
    let last = "";
    let done = 0;
    for await (const { table, piece } of backup.tables()) {
      if (table !== last) onTable(table, done++, backup.manifest.tables.length);
      last = table;
      await loader.add(table, piece);
    }
    compareTotals(backup.totals(), await loader.end(backup.manifest));
    await markLoaded(client);
    crashPoint("during-execution", "backup_restore");
    await client.query("commit");
  } catch (error) {
    throw refusedRows(error) ?? error;
  }
}

function compareTotals(said: Totals, found: ReadonlyMap<string, Total>): void {
  const wrong = [...found].filter(([name, total]) => {
    const other = said.tables[name];
    return other?.rows !== total.rows || other.sha256 !== total.sha256;
  });
  if (wrong.length === 0 && Object.keys(said.tables).length === found.size) return;
  throw new HubError(
    "BACKUP_DAMAGED",
    `The backup does not hold what it says: ${wrong.map(([name]) => name).join(", ") || "tables are missing"}.`,
  );
}
