import { once } from "node:events";
import { finished } from "node:stream/promises";
import pg from "pg";
import { type CopyStreamQuery, from as copyFrom } from "pg-copy-streams";
import type { BackupTable, Manifest, Total } from "../../../contracts/backup/manifest.ts";
import { HubError } from "../../errors.ts";
import { RowCounter } from "./backup-reader.ts";
import { backupTables, COPY_SETTINGS } from "./backup-tables.ts";

/** Whether no hub has used it: it has no tables, or no account. */
export async function isEmptyDatabase(owner: pg.ClientBase): Promise<boolean> {
  const tables = await owner.query(
    "select from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') limit 1",
  );
  if (tables.rowCount === 0) return true;
  const ours = await owner.query("select from pg_class where oid = to_regclass('public.account')");
  if (ours.rowCount === 0) return false;
  return (await owner.query("select from account limit 1")).rowCount === 0;
}

interface OpenTable {
  readonly table: BackupTable;
  readonly sink: CopyStreamQuery;
  readonly ended: Promise<void>;
  readonly counter: RowCounter;
}

/**
 * Fills an empty, migrated database within one transaction of the owner's, which the caller begins and ends: whatever is
 * thrown, nothing of it stays. Row-level security is not forced meanwhile, since COPY does not work under it, and the
 * hub's own triggers rest; constraints are held as ever.
 */
export class BackupLoader {
  readonly #client: pg.ClientBase;
  readonly #tables: readonly BackupTable[];
  readonly #totals = new Map<string, Total>();
  #open: OpenTable | undefined;

  private constructor(client: pg.ClientBase, tables: readonly BackupTable[]) {
    this.#client = client;
    this.#tables = tables;
  }

  /** Throws DATABASE_DIVERGED where the tables are not those of the backup, DATABASE_NOT_EMPTY where an account is there. */
  static async begin(client: pg.ClientBase, { tables }: Pick<Manifest, "tables">): Promise<BackupLoader> {
    await client.query(COPY_SETTINGS);
    const here = await backupTables(client);
    const shape = (list: readonly BackupTable[]) =>
      JSON.stringify(
        list.map(({ name, columns, key }) => [name, columns, key] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    if (shape(here) !== shape(tables))
      throw new HubError("DATABASE_DIVERGED", "The tables of this database are not those of the backup.");
    for (const { name } of tables) {
      const table = pg.escapeIdentifier(name);
      await client.query(`alter table ${table} no force row level security; alter table ${table} disable trigger user`);
    }
    if (!(await isEmptyDatabase(client))) throw notEmpty();
    return new BackupLoader(client, tables);
  }

  /** Pieces of one table come one after the other, tables in the manifest's order. Throws BACKUP_DAMAGED. */
  async add(name: string, piece: Buffer): Promise<void> {
    if (this.#open?.table.name !== name) await this.#next(name);
    const { sink, ended, counter } = this.#open ?? missing(name);
    counter.add(piece);
    if (sink.write(piece)) return;
    // a refused row ends the stream without a drain
    await Promise.race([once(sink, "drain"), ended]);
  }

  /** Totals by table, once everything was added; numbering goes on where it was; tables are guarded as before. */
  async end({ sequences }: Pick<Manifest, "sequences">): Promise<ReadonlyMap<string, Total>> {
    await this.#close();
    for (const { table, column, last } of sequences) {
      const [name, field] = [pg.escapeIdentifier(table), pg.escapeIdentifier(column)];
      await this.#client.query(
        `select setval(pg_get_serial_sequence($1, $2), greatest($3::bigint, (select max(${field}) from ${name}), 1),
           greatest($3::bigint, coalesce((select max(${field}) from ${name}), 0)) > 0)`,
        [table, column, last],
      );
    }
    for (const { name } of this.#tables) {
      const table = pg.escapeIdentifier(name);
      await this.#client.query(`alter table ${table} enable trigger user`);
      await this.#client.query(
        `do $$ begin if (select relrowsecurity from pg_class where oid = ${pg.escapeLiteral(`public.${name}`)}::regclass)
         then alter table ${table} force row level security; end if; end $$`,
      );
    }
    for (const { name } of this.#tables) if (!this.#totals.has(name)) this.#totals.set(name, new RowCounter().total());
    return this.#totals;
  }

  async #next(name: string): Promise<void> {
    await this.#close();
    const table = this.#tables.find((one) => one.name === name) ?? missing(name);
    if (this.#totals.has(name)) throw new HubError("BACKUP_DAMAGED", `The table ${name} comes twice.`);
    const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(", ");
    const sink = this.#client.query(copyFrom(`copy ${pg.escapeIdentifier(name)} (${columns}) from stdin`));
    const ended = finished(sink);
    ended.catch(() => {}); // told to whoever adds, or closes
    this.#open = { table, sink, ended, counter: new RowCounter() };
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    const { table, sink, ended, counter } = this.#open;
    this.#open = undefined;
    sink.end();
    await ended;
    this.#totals.set(table.name, counter.total());
  }
}

export const notEmpty = () =>
  new HubError(
    "DATABASE_NOT_EMPTY",
    "There is a hub in this database already: a backup is restored into an empty one alone.",
  );

/** What PostgreSQL does not take as a row, or as one beside the others. */
export function refusedRows(cause: unknown): HubError | undefined {
  if (!(cause instanceof pg.DatabaseError) || !/^2[23]/.test(cause.code ?? "")) return undefined;
  const of = cause.table === undefined ? "" : ` of ${cause.table}`;
  return new HubError("BACKUP_DAMAGED", `PostgreSQL refused rows${of} (${cause.code}).`, { cause });
}

function missing(name: string): never {
  throw new HubError("BACKUP_DAMAGED", `The backup has rows of a table ${name}, which its manifest does not name.`);
}
