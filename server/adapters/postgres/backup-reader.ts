import { createHash } from "node:crypto";
import pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { BackupTable, Manifest, Total } from "../../../contracts/backup/manifest.ts";
import { backupSequences, backupTables, COPY_SETTINGS } from "./backup-tables.ts";
import type { AccountSessions, Session } from "./database.ts";
import { type Login, ownerSession } from "./owner-session.ts";

/** A table's rows in pieces of about this size. */
export const PIECE_BYTES = 1024 * 1024;

/** The database as it was at one moment, for as long as this is open. */
export interface Snapshot extends AsyncDisposable {
  readonly facts: Pick<Manifest, "postgres" | "migrations" | "tables" | "sequences">;
  /** By account, the lowest version of its key `data` that something is under. */
  readonly keyVersions: ReadonlyMap<string, number>;
  readonly accounts: readonly string[];
  /** The same moment, for what asks as it asks the database; nothing can be changed there. */
  readonly database: AccountSessions;
  /** The table's rows in the text format of COPY, in the order of its key; `total` counts once all were taken. */
  readonly rows: (table: BackupTable) => { readonly pieces: AsyncIterable<Buffer>; readonly total: () => Total };
}

/**
 * Opens a snapshot with the owner's login: one REPEATABLE READ transaction that changes nothing and keeps nobody waiting.
 * Throws what pg throws.
 */
export async function openSnapshot(owner: Login): Promise<Snapshot> {
  const client = await ownerSession(owner);
  try {
    await client.query("begin transaction isolation level repeatable read, read only");
    await client.query(COPY_SETTINGS);
    const inUse = await client.query<{ account_id: string; lowest_version: number }>(
      "select account_id, lowest_version from hub_key_versions_in_use()",
    );
    const accounts = await client.query<{ id: string }>("select id from account order by id");
    const worded = await wordedColumns(client);
    const ask = <T>(_accountId: string, fn: (session: Session) => Promise<T>) => fn(client);
    return {
      facts: await factsOf(client),
      keyVersions: new Map(inUse.rows.map((row) => [row.account_id, row.lowest_version])),
      accounts: accounts.rows.map(({ id }) => id),
      database: { read: ask, transact: ask },
      rows: (table) => rowsOf(client, table, worded),
      [Symbol.asyncDispose]: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function factsOf(client: pg.Client): Promise<Snapshot["facts"]> {
  const applied = await client.query<{ name: string; checksum: string }>(
    `select migration_name as name, checksum from _prisma_migrations
     where finished_at is not null and rolled_back_at is null order by migration_name`,
  );
  const version = await client.query<{ server_version: string }>("show server_version");
  return {
    postgres: version.rows[0]?.server_version ?? "",
    migrations: applied.rows,
    tables: await backupTables(client),
    sequences: await backupSequences(client),
  };
}

/** Columns whose order is a matter of the database's language, as `table.column`. */
async function wordedColumns(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and a.attcollation <> 0`,
  );
  return new Set(rows.map(({ name }) => name));
}

function rowsOf(client: pg.Client, table: BackupTable, worded: ReadonlySet<string>): ReturnType<Snapshot["rows"]> {
  const columns = table.columns.map((name) => pg.escapeIdentifier(name)).join(", ");
  // the same order wherever it is restored
  const order = table.key
    .map((name) => `${pg.escapeIdentifier(name)}${worded.has(`${table.name}.${name}`) ? ' collate "C"' : ""}`)
    .join(", ");
  const select = `select ${columns} from ${pg.escapeIdentifier(table.name)}${order === "" ? "" : ` order by ${order}`}`;
  const counter = new RowCounter();
  async function* pieces(): AsyncGenerator<Buffer> {
    let held: Buffer[] = [];
    let size = 0;
    for await (const chunk of client.query(copyTo(`copy (${select}) to stdout`))) {
      counter.add(chunk as Buffer);
      held.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size < PIECE_BYTES) continue;
      yield* cut(Buffer.concat(held));
      held = [];
      size = 0;
    }
    if (size > 0) yield* cut(Buffer.concat(held));
  }
  return { pieces: pieces(), total: () => counter.total() };
}

/** One row may be larger than a piece. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 2 * PIECE_BYTES) yield bytes.subarray(at, at + 2 * PIECE_BYTES);
}

/** Counts rows of COPY's text format, in which a line feed inside a value is written `\n`, and digests them. */
export class RowCounter {
  readonly #hash = createHash("sha256");
  #rows = 0;
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) this.#rows += 1;
  }

  total(): Total {
    return { rows: this.#rows, bytes: this.#bytes, sha256: this.#hash.copy().digest("hex") };
  }
}
