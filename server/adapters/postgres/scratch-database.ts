/** A database for one look at a backup, beside the hub's own on the same server. */
import pg from "pg";
import { v7 } from "uuid";
import { HubError } from "../../errors.ts";
import { elsewhere, type Login, ownerSession } from "./owner-session.ts";

const PREFIX = "countersign_verify_";

export interface ScratchDatabase extends AsyncDisposable {
  readonly name: string;
}

/**
 * Made by the owner, empty, with the runtime role let in; dropped when disposed of. Those that a killed look left are
 * dropped first. Throws CONFIG_INVALID where the owner's login may not create databases, DATABASE_UNREACHABLE.
 */
export async function scratchDatabase(owner: Login, runtimeRole: string): Promise<ScratchDatabase> {
  await using opening = new AsyncDisposableStack();
  const administrator = await ownerSession(owner);
  opening.defer(() => administrator.end());
  await dropLeftOvers(administrator);
  const name = `${PREFIX}${v7().replaceAll("-", "")}`;
  await make(administrator, name, runtimeRole);
  // it waits for whoever is leaving; by force it would need the right to end others' sessions. What stays is a left-over
  opening.defer(async () => void (await administrator.query(`drop database if exists "${name}"`).catch(() => {})));
  // for as long as somebody is in it, nobody takes it for a left-over
  const holder = await ownerSession(elsewhere(owner, name));
  opening.defer(() => holder.end());
  const rooms = opening.move();
  return { name, [Symbol.asyncDispose]: () => rooms.disposeAsync() };
}

async function make(administrator: pg.Client, name: string, runtimeRole: string): Promise<void> {
  try {
    await administrator.query(`create database "${name}"`);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError && cause.code === "42501")) throw cause;
    throw new HubError(
      "CONFIG_INVALID",
      "A backup is verified in a database of its own, and the login of COUNTERSIGN_MIGRATION_URL may not create one: give it CREATEDB (alter role ... createdb), or verify where no DATABASE_URL is set, with a server of the command's own.",
      { cause, path: "COUNTERSIGN_MIGRATION_URL" },
    );
  }
  await administrator.query(`revoke all on database "${name}" from public`);
  await administrator.query(`grant connect on database "${name}" to ${pg.escapeIdentifier(runtimeRole)}`);
}

async function dropLeftOvers(administrator: pg.Client): Promise<void> {
  const { rows } = await administrator.query<{ datname: string }>(
    `select datname from pg_database d where starts_with(datname, $1) and pg_has_role(datdba, 'MEMBER')
       and not exists (select from pg_stat_activity a where a.datid = d.oid)`,
    [PREFIX],
  );
  // somebody may have come into it meanwhile
  for (const { datname } of rows) await administrator.query(`drop database if exists "${datname}"`).catch(() => {});
}
