import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  joinEmbeddedPostgres,
  makeDataFolder,
  stopEmbeddedPostgres,
} from "../../../server/adapters/postgres/embedded-postgres.ts";
import { prepareEmbeddedRoles } from "../../../server/adapters/postgres/embedded-roles.ts";
import { elsewhere, type Login, ownerSession, roleOf } from "../../../server/adapters/postgres/owner-session.ts";
import { checkRuntimeRole } from "../../../server/adapters/postgres/runtime-role.ts";
import { scratchDatabase } from "../../../server/adapters/postgres/scratch-database.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { refuseOthersFolder } from "../../../server/config/prepare-folders.ts";
import { HubError } from "../../../server/errors.ts";
import type { RestorePlace } from "./load-backup.ts";

/** A database to restore into, with both of the hub's logins. */
export interface OpenPlace extends RestorePlace, AsyncDisposable {
  readonly runtime: Login;
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
  const owner = { connectionString: migrationUrl.reveal() };
  const runtime = { connectionString: databaseUrl.reveal() };
  await using migrating = await ended(ownerSession(owner, "COUNTERSIGN_MIGRATION_URL"));
  await using running = await ended(ownerSession(runtime, "DATABASE_URL"));
  await checkRuntimeRole(running.client, await roleOf(migrating.client));
  return { owner, runtime, runtimeRole: await roleOf(running.client), [Symbol.asyncDispose]: async () => {} };
}

async function ended(opening: ReturnType<typeof ownerSession>) {
  const client = await opening;
  return { client, [Symbol.asyncDispose]: () => client.end() };
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
 * temporary folder where the hub has none yet.
 * @throws HubError CONFIG_INVALID where the owner's login may not create databases
 */
export async function scratchPlace(config: Config, secrets: Secrets): Promise<OpenPlace> {
  await using opening = new AsyncDisposableStack();
  const embeddedHere = existsSync(join(config.folders.data, "postgres", "data"));
  const named = secrets.databaseUrl !== undefined || embeddedHere;
  const base = opening.use(await (named ? openPlace(config, secrets) : serverOfItsOwn()));
  const { name } = opening.use(await scratchDatabase(base.owner, base.runtimeRole));
  const rooms = opening.move();
  return {
    owner: elsewhere(base.owner, name),
    runtime: elsewhere(base.runtime, name),
    runtimeRole: base.runtimeRole,
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

async function serverOfItsOwn(): Promise<OpenPlace> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-verify-"));
  const remove = async () => {
    await stopEmbeddedPostgres(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await chmod(folder, 0o711); // root's PostgreSQL is another user, which must be able to walk through
    const place = await embeddedPlace(folder);
    return {
      ...place,
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
