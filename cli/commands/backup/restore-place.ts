import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { v7 } from "uuid";
import { joinEmbeddedPostgres, makeDataFolder, stopEmbeddedPostgres } from "../../../server/adapters/postgres/embedded-postgres.ts";
import { prepareEmbeddedRoles } from "../../../server/adapters/postgres/embedded-roles.ts";
import { checkRuntimeRole } from "../../../server/adapters/postgres/runtime-role.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { refuseOthersFolder } from "../../../server/config/prepare-folders.ts";
import { HubError } from "../../../server/errors.ts";
import type { RestorePlace } from "./load-backup.ts";
import { urlOf } from "./login-of.ts";

/** A database to restore into, with both of the hub's logins. */
export interface OpenPlace extends RestorePlace, AsyncDisposable {
  readonly runtime: pg.PoolConfig;
}

/**
 * The database that the configuration names; an embedded one is made where there is none. Says nothing of what is in it.
 * @throws HubError CONFIG_INVALID (the owner's login is missing), DATABASE_*, DATA_FOLDER_UNUSABLE
 */
export async function openPlace({ folders }: Config, { databaseUrl, migrationUrl }: Secrets): Promise<OpenPlace> {
  if (!databaseUrl) return embeddedPlace(folders.data);
  if (!migrationUrl)
    throw new HubError("CONFIG_INVALID", "This takes the owner of the tables: set COUNTERSIGN_MIGRATION_URL.", {
      path: "COUNTERSIGN_MIGRATION_URL",
    });
  const [owner, runtime] = [migrationUrl.reveal(), databaseUrl.reveal()].map((connectionString) => ({
    connectionString,
  })) as [pg.PoolConfig, pg.PoolConfig];
  const ownerRole = await withClient(owner, "COUNTERSIGN_MIGRATION_URL", roleOf);
  const runtimeRole = await withClient(runtime, "DATABASE_URL", async (client) => {
    await checkRuntimeRole(client, ownerRole);
    return roleOf(client);
  });
  return { owner, runtime, runtimeRole, [Symbol.asyncDispose]: async () => {} };
}

async function embeddedPlace(dataFolder: string): Promise<OpenPlace> {
  makeDataFolder(dataFolder);
  refuseOthersFolder(dataFolder);
  const embedded = await joinEmbeddedPostgres(dataFolder);
  try {
    const { owner, runtime } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    const runtimeRole = runtime.user as string;
    return { owner, runtime, runtimeRole, [Symbol.asyncDispose]: () => embedded.release() };
  } catch (error) {
    await embedded.release();
    throw error;
  }
}

/**
 * A database for one look, gone when disposed of: beside the hub's own on the same server, or on a server of its own in a
 * temporary folder where the hub has none yet. Databases that a killed look left are dropped.
 * @throws HubError CONFIG_INVALID where the owner's login may not create databases
 */
export async function scratchPlace(config: Config, secrets: Secrets): Promise<OpenPlace> {
  await using opening = new AsyncDisposableStack();
  const embeddedHere = existsSync(join(config.folders.data, "postgres", "data"));
  let base: OpenPlace;
  if (secrets.databaseUrl || embeddedHere) base = opening.use(await openPlace(config, secrets));
  else {
    const folder = await mkdtemp(join(tmpdir(), "countersign-verify-"));
    opening.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    opening.defer(() => stopEmbeddedPostgres(folder));
    base = opening.use(await embeddedPlace(folder));
  }
  const administrator = new pg.Client(base.owner);
  administrator.on("error", () => {}); // the statement at work rejects too
  await administrator.connect();
  opening.defer(() => administrator.end());
  await dropLeftOvers(administrator);
  const name = `${SCRATCH}${v7().replaceAll("-", "")}`;
  await makeScratch(administrator, name, base.runtimeRole);
  opening.defer(() => administrator.query(`drop database if exists "${name}" with (force)`).then(() => {}));
  // for as long as somebody is in it, nobody takes it for a left-over
  const holder = new pg.Client(elsewhere(base.owner, name));
  holder.on("error", () => {}); // dropped beneath it
  await holder.connect();
  opening.defer(() => holder.end());
  const rooms = opening.move();
  return {
    owner: elsewhere(base.owner, name),
    runtime: elsewhere(base.runtime, name),
    runtimeRole: base.runtimeRole,
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

const SCRATCH = "countersign_verify_";

async function makeScratch(administrator: pg.Client, name: string, runtimeRole: string): Promise<void> {
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
    `select datname from pg_database d where datname like $1 and pg_has_role(datdba, 'MEMBER')
       and not exists (select from pg_stat_activity a where a.datid = d.oid)`,
    [`${SCRATCH.replaceAll("_", "\\_")}%`],
  );
  // somebody may have come into it meanwhile
  for (const { datname } of rows) await administrator.query(`drop database if exists "${datname}"`).catch(() => {});
}

function elsewhere<C extends pg.ClientConfig>(login: C, database: string): C {
  if (login.connectionString === undefined) return { ...login, database };
  return { ...login, connectionString: urlOf(login.connectionString, database) };
}

async function roleOf(client: pg.Client): Promise<string> {
  return (await client.query<{ role: string }>("select current_user::text as role")).rows[0]?.role ?? "";
}

async function withClient<T>(config: pg.ClientConfig, name: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {}); // the statement at work rejects too
  try {
    await client.connect();
  } catch (cause) {
    // PostgreSQL's sentence names role and database; the URL with its password stays out
    const said = cause instanceof AggregateError ? (cause.errors[0] as Error).message : (cause as Error).message;
    throw new HubError("DATABASE_UNREACHABLE", `${name} lets nobody in: ${said}.`, { cause, path: name });
  }
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}
