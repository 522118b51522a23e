/**
 * The table `hub_restore` is there for as long as a restore is not through: no hub starts on such a database. It is no
 * migration's, since it comes before them.
 */
import pg from "pg";
import { HubError } from "../../errors.ts";

export interface RestoreMarker {
  readonly backupId: string;
  /** All rows are there, committed; jobs and the receipt are not, perhaps. */
  readonly loaded: boolean;
}

/** Undefined where no restore is under way or was broken off. Any role may ask. */
export async function restoreUnderWay(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(
    "select to_regclass('public.hub_restore') is not null as there",
  );
  return rows[0]?.there === true;
}

/** @throws HubError RESTORE_UNFINISHED */
export async function refuseUnfinishedRestore(client: pg.ClientBase): Promise<void> {
  if (!(await restoreUnderWay(client))) return;
  throw new HubError(
    "RESTORE_UNFINISHED",
    "A backup is being restored into this database, or that was broken off: run the same npx countersign backup restore again, which finishes it, or throw this database away.",
  );
}

/** By the owner. */
export async function readMarker(owner: pg.ClientBase): Promise<RestoreMarker | undefined> {
  if (!(await restoreUnderWay(owner))) return undefined;
  const { rows } = await owner.query<{ backup_id: string; loaded: boolean }>(
    "select backup_id, loaded from public.hub_restore",
  );
  return rows[0] && { backupId: rows[0].backup_id, loaded: rows[0].loaded };
}

/** In place of one for which nothing was loaded yet. */
export async function setMarker(owner: pg.ClientBase, backupId: string): Promise<void> {
  await owner.query(`begin;
    create table if not exists public.hub_restore (backup_id uuid primary key, loaded boolean not null, at timestamptz not null default now());
    delete from public.hub_restore;
    insert into public.hub_restore (backup_id, loaded) values (${pg.escapeLiteral(backupId)}, false);
    commit`);
}

/** In the transaction that loads. */
export async function markLoaded(owner: pg.ClientBase): Promise<void> {
  await owner.query("update public.hub_restore set loaded = true");
}

/** In the transaction that finishes. */
export async function dropMarker(owner: pg.ClientBase): Promise<void> {
  await owner.query("drop table if exists public.hub_restore");
}
