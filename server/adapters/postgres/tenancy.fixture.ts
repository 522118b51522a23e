/** What tenancy.db.test.ts knows of tables from the catalogue alone, and how it fills one with rows. */
import { randomBytes, randomInt } from "node:crypto";
import type pg from "pg";
import { v7 } from "uuid";

export interface TenantTable {
  /** Quoted where it has to be. */
  readonly name: string;
  /** The column that holds the account. */
  readonly account: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  /** What the runtime role may do there. */
  readonly may: { readonly select: boolean; readonly insert: boolean; readonly delete: boolean };
  /** Columns that it may change. */
  readonly updatable: readonly string[];
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  /** pg_type.typcategory: `A` array, `E` enum, `S` text, ... */
  readonly category: string;
  readonly label: string | null;
}

const TABLES = `
  select quote_ident(c.relname) as name, quote_ident(a.attname) as account,
    c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    json_build_object('select', has_table_privilege('countersign_hub', c.oid, 'select'),
      'insert', has_table_privilege('countersign_hub', c.oid, 'insert'),
      'delete', has_table_privilege('countersign_hub', c.oid, 'delete')) as may,
    array(select quote_ident(u.attname) from pg_attribute u where u.attrelid = c.oid and u.attnum > 0 and not u.attisdropped
      and u.attgenerated = '' and has_column_privilege('countersign_hub', c.oid, u.attnum, 'update')) as updatable,
    (select json_agg(json_build_object('name', f.attname, 'type', t.typname, 'category', t.typcategory,
        'label', (select e.enumlabel from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder limit 1)) order by f.attnum)
      from pg_attribute f join pg_type t on t.oid = f.atttypid
      where f.attrelid = c.oid and f.attnum > 0 and not f.attisdropped and f.attgenerated = '') as columns
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
    and a.attname = case when c.oid = 'public.account'::regclass then 'id' else 'account_id' end
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname`;

export async function tenantTables(client: pg.Client): Promise<TenantTable[]> {
  return (await client.query<TenantTable>(TABLES)).rows;
}

/** Lets rows of made-up values in: what a row must say or refer to has nothing to do with who sees it. */
export async function loosenTables(superuser: pg.Client, tables: readonly TenantTable[]): Promise<void> {
  const { rows } = await superuser.query<{ text: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as text
     from pg_constraint where connamespace = 'public'::regnamespace and contype in ('c', 'f')`,
  );
  const triggers = tables.map(({ name }) => `alter table ${name} disable trigger user`);
  await superuser.query([...rows.map(({ text }) => text), ...triggers].join(";\n"));
}

/** Adds a row of random values; answers with it. */
export async function fillRow(
  superuser: pg.Client,
  { name, account, columns }: TenantTable,
  accountId: string,
): Promise<Record<string, unknown>> {
  const values = columns.map((column) => (column.name === account ? accountId : valueOf(column, name)));
  const row = Object.fromEntries(columns.map((column, i) => [column.name, values[i]]));
  // those that are worked out from others are not among them
  const names = columns.map((column) => `"${column.name}"`).join(", ");
  await superuser.query(
    `insert into ${name} (${names}) overriding system value
     select ${names} from jsonb_populate_record(null::${name}, $1)`,
    [JSON.stringify(row)],
  );
  return row;
}

/** As JSON that PostgreSQL reads into the column's type. */
function valueOf({ name, type, category, label }: Column, table: string): unknown {
  if (category === "A") return "{}";
  if (category === "E") return label;
  if (type === "uuid") return v7();
  if (type === "bytea") return `\\x${randomBytes(32).toString("hex")}`;
  if (type === "bool") return false;
  if (type === "json" || type === "jsonb") return {};
  if (type === "int2") return randomInt(2 ** 15 - 1);
  if (category === "N") return randomInt(2 ** 31 - 1);
  if (category === "D") return new Date().toISOString();
  if (category === "S") return randomBytes(8).toString("hex");
  throw new Error(`say what a ${type} may be: ${table}.${name} has one`);
}
