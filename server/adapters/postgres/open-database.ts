/** From "where is the database" to a login that is safe to run with, on a database that fits this program. */
import pg from "pg";
import { isSetUp, migrate } from "../../../prisma/migrate.ts";
import type { Setup } from "../../../prisma/setup.ts";
import { HubError } from "../../errors.ts";
import { joinEmbeddedPostgres, makeDataFolder } from "./embedded-postgres.ts";
import { prepareEmbeddedRoles } from "./embedded-roles.ts";
import { checkRuntimeRole, explainRoles } from "./runtime-role.ts";

export interface DatabasePlace {
  /** Holds the embedded server where `databaseUrl` is absent. */
  readonly dataDir: string;
  /** The runtime role's. */
  readonly databaseUrl?: string;
  /** The owner's. */
  readonly migrationUrl?: string;
  readonly setup?: Setup;
  readonly log?: (message: string) => void;
  /** Sentences for a person who waits. */
  readonly onProgress?: (sentence: string) => void;
}

export interface OpenDatabase {
  readonly kind: "embedded" | "external";
  readonly runtime: pg.PoolConfig;
  /** Absent where the hub was given no migration URL. */
  readonly owner?: pg.PoolConfig;
  /** The OS user that the embedded server runs as, where that is not the hub's own. */
  readonly osUser?: string;
  /** Lets go of the embedded server, which stops when nobody uses it. Connections are the caller's to close first. */
  release(): Promise<void>;
}

/**
 * Joins or starts the embedded server, or takes the URLs; checks both roles; migrates.
 * Throws DATA_FOLDER_UNUSABLE, DATABASE_UNREACHABLE, DATABASE_ROLE_UNSAFE, CONFIG_INVALID (the URLs do not belong
 * together, or the database needs migrating and there is no migration URL), MIGRATION_EDITED, MIGRATION_FAILED,
 * DATABASE_NEWER, DATABASE_DIVERGED.
 */
export async function openDatabase(place: DatabasePlace): Promise<OpenDatabase> {
  if (place.databaseUrl === undefined && place.migrationUrl !== undefined) {
    throw new HubError(
      "CONFIG_INVALID",
      "COUNTERSIGN_MIGRATION_URL is set and DATABASE_URL is not: set both, or neither for a PostgreSQL of the hub's own.",
      { path: "DATABASE_URL" },
    );
  }
  return place.databaseUrl === undefined ? openEmbedded(place) : openExternal(place, place.databaseUrl);
}

async function openEmbedded({ dataDir, setup, log, onProgress }: DatabasePlace): Promise<OpenDatabase> {
  makeDataFolder(dataDir);
  const embedded = await joinEmbeddedPostgres(dataDir, { ...(log && { log }), ...(onProgress && { onProgress }) });
  try {
    const { owner, runtime } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    await migrate(owner, runtime.user as string, setup, onProgress);
    await withClient(runtime, "the embedded database", (client) => checkRuntimeRole(client, owner.user as string));
    const osUser = embedded.osUser ? { osUser: embedded.osUser } : {};
    return { kind: "embedded", runtime, owner, ...osUser, release: () => embedded.release() };
  } catch (error) {
    await embedded.release();
    throw error;
  }
}

async function openExternal(place: DatabasePlace, databaseUrl: string): Promise<OpenDatabase> {
  const { migrationUrl, setup = {}, onProgress } = place;
  const runtime = { connectionString: databaseUrl };
  const release = async () => {};
  if (migrationUrl === undefined) {
    await withClient(runtime, "DATABASE_URL", (client) => checkWithoutOwner(client, setup));
    return { kind: "external", runtime, release };
  }
  const owner = { connectionString: migrationUrl };
  await withClient(runtime, "DATABASE_URL", async (client) => {
    const session = await identify(client);
    const migrating = await withClient(owner, "COUNTERSIGN_MIGRATION_URL", identify);
    if (session.database !== migrating.database) {
      const message = "DATABASE_URL and COUNTERSIGN_MIGRATION_URL name different databases: they are two roles on one.";
      throw new HubError("CONFIG_INVALID", message, { path: "COUNTERSIGN_MIGRATION_URL" });
    }
    await checkRuntimeRole(client, migrating.role); // before it is given anything
    await migrate(owner, session.role, setup, onProgress);
    await checkRuntimeRole(client, migrating.role);
  });
  return { kind: "external", runtime, owner, release };
}

/** The runtime role alone: fine where somebody else has migrated already. */
async function checkWithoutOwner(client: pg.Client, setup: Setup): Promise<void> {
  await checkRuntimeRole(client);
  const { role } = await identify(client);
  const ready = await isSetUp(client, role, setup).catch((error: unknown) => {
    if (error instanceof pg.DatabaseError && error.code === "42501") return false; // may not read the bookkeeping
    throw error;
  });
  if (ready) return;
  throw new HubError(
    "CONFIG_INVALID",
    `The database is not set up for this version of the hub and the role "${role}", and without COUNTERSIGN_MIGRATION_URL the hub cannot do it.\n\n${await explainRoles(client)}`,
    { path: "COUNTERSIGN_MIGRATION_URL" },
  );
}

/** Who is signed in, and where: the same database has the same object id on a server started at the same time. */
async function identify(client: pg.Client): Promise<{ role: string; database: string }> {
  const { rows } = await client.query<{ role: string; database: string }>(
    `select current_user::text as role, pg_postmaster_start_time() || ' ' || oid as database
     from pg_database where datname = current_database()`,
  );
  if (!rows[0]) throw new Error("a session without a database");
  return rows[0];
}

async function withClient<T>(config: pg.ClientConfig, name: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  let client: pg.Client;
  try {
    client = new pg.Client({ ...config, application_name: "countersign-start", connectionTimeoutMillis: 10_000 });
    client.on("error", () => {}); // the statement at work rejects too
    await client.connect();
  } catch (cause) {
    // PostgreSQL's sentence names role and database; the URL with its password stays out
    const said = cause instanceof AggregateError ? (cause.errors[0] as Error).message : (cause as Error).message;
    throw new HubError("DATABASE_UNREACHABLE", `The hub cannot connect to ${name}: ${said}.`, { cause, path: name });
  }
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}
