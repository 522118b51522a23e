/**
 * What a database needs beside its migrations: the queue's schema, and what the runtime role may do. The digest of
 * all of it is kept in the table hub_setup, so that a start can see in one look that nothing is due.
 */
import { createHash } from "node:crypto";
import type pg from "pg";
import type { Queue } from "pg-boss";
import pgBoss from "pg-boss/package.json" with { type: "json" };
import type { Privileges } from "../server/adapters/postgres/grants.ts";
import { isUndefinedTable, type Migration } from "./migration-history.ts";

/** Raise it when grants or queues are made in another way from the same data. */
const FORMAT = 1;

export interface Setup {
  /** Default: the migrations of this program. */
  readonly migrationsDir?: string;
  /** Default: the privileges of this program. */
  readonly privileges?: Privileges;
  /** Absent: this process has nothing to do with jobs, and leaves the queue's schema and the digest alone. */
  readonly queues?: readonly Queue[];
  /** By who restores a backup into it: everybody else is refused until that is through. */
  readonly restoring?: true;
}

/** Changes whenever migrations, privileges, queues or the queue's own version do. Hex. */
export function setupDigest(
  migrations: readonly Migration[],
  privileges: Privileges,
  queues: readonly Queue[] | undefined,
): string {
  const names = migrations.map(({ name, checksum }) => [name, checksum]);
  const tables = Object.keys(privileges)
    .sort()
    .map((table) => [table, privileges[table]]);
  const parts = [FORMAT, names, tables, queues ?? [], pgBoss.version];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** The digest that this database was last set up with for this role; undefined where it never was. */
export async function keptDigest(client: pg.ClientBase, runtimeRole: string): Promise<string | undefined> {
  try {
    const text = "select digest from public.hub_setup where runtime_role = $1";
    return (await client.query<{ digest: string }>(text, [runtimeRole])).rows[0]?.digest;
  } catch (error) {
    if (isUndefinedTable(error)) return undefined;
    throw error;
  }
}

export async function createSetupTable(owner: pg.ClientBase): Promise<void> {
  await owner.query(`create table if not exists public.hub_setup (
    runtime_role text primary key,
    digest       text not null,
    at           timestamptz not null default now())`);
}

export async function keepDigest(owner: pg.ClientBase, runtimeRole: string, digest: string): Promise<void> {
  await owner.query(
    `insert into public.hub_setup (runtime_role, digest) values ($1, $2)
     on conflict (runtime_role) do update set digest = excluded.digest, at = now()`,
    [runtimeRole, digest],
  );
}
