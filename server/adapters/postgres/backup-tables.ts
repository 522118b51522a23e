/** Which tables a backup holds, and in which order they are filled. */
import type pg from "pg";
import type { BackupTable } from "../../../contracts/backup/manifest.ts";

/** What a database is made of anew: its migrations, its setup, and how far a restore is. */
const BOOKKEEPING = ["_prisma_migrations", "hub_setup", "hub_restore"];

/** COPY writes and reads values in one way, whatever the server's own settings are. */
export const COPY_SETTINGS = [
  "set local datestyle = 'ISO, MDY'",
  "set local intervalstyle = 'postgres'",
  "set local timezone = 'UTC'",
  "set local extra_float_digits = 1",
  "set local bytea_output = 'hex'",
  "set local client_encoding = 'UTF8'",
  "set local statement_timeout = 0",
  "set local idle_in_transaction_session_timeout = 0",
].join("; ");

// unlogged tables do not outlive a crash either; generated columns are made of the others
const TABLES = `
  select c.relname::text as name,
    array(select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
    coalesce((select array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k(no, at)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.no order by k.at)
      from pg_index i where i.indrelid = c.oid and i.indisprimary), '{}') as key,
    array(select distinct f.confrelid::regclass::text from pg_constraint f
      where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as needs
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
    and pg_has_role(c.relowner, 'USAGE') and c.relname <> all ($1)
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
  order by c.relname`;

interface TableRow extends BackupTable {
  readonly needs: readonly string[];
}

/** The hub's tables as the owner sees them: each after those that it refers to. */
export async function backupTables(owner: pg.ClientBase): Promise<BackupTable[]> {
  const { rows } = await owner.query<TableRow>(TABLES, [BOOKKEEPING]);
  const waiting = new Map(rows.map((row) => [row.name, row]));
  const ordered: BackupTable[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(({ needs }) => needs.every((name) => !waiting.has(name)));
    if (ready.length === 0)
      throw new Error(`tables refer to each other in a circle: ${[...waiting.keys()].join(", ")}`);
    for (const { name, columns, key } of ready) {
      waiting.delete(name);
      ordered.push({ name, columns, key });
    }
  }
  return ordered;
}

/** Columns that number their rows themselves, and the last number given out. */
export async function backupSequences(
  owner: pg.ClientBase,
): Promise<{ table: string; column: string; last: string }[]> {
  const { rows } = await owner.query<{ table: string; column: string; sequence: string }>(
    `select c.relname::text as table, a.attname::text as column, pg_get_serial_sequence(c.oid::regclass::text, a.attname) as sequence
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> all ($1)
       and pg_has_role(c.relowner, 'USAGE') and pg_get_serial_sequence(c.oid::regclass::text, a.attname) is not null
     order by 1, 2`,
    [BOOKKEEPING],
  );
  const found: { table: string; column: string; last: string }[] = [];
  for (const { table, column, sequence } of rows) {
    const text = `select case when is_called then last_value else 0 end::text as last from ${sequence}`;
    found.push({ table, column, last: (await owner.query<{ last: string }>(text)).rows[0]?.last ?? "0" });
  }
  return found;
}
