/** The whole of migrating, for a short process of its own: it loads the schema engine. */
import pg from "pg";
import { applyGrants, type Privileges } from "../server/adapters/postgres/grants.ts";
import { PRIVILEGES } from "../server/adapters/postgres/privileges.ts";
import { installJobs } from "./install-jobs.ts";
import {
  isUndefinedTable,
  type Migration,
  migrationFailed,
  missingMigrations,
  readMigrations,
} from "./migration-history.ts";
import { applyScripts } from "./schema-engine.ts";
import { createSetupTable, keepDigest, keptDigest, type Setup, setupDigest } from "./setup.ts";

/** Advisory lock: one process migrates, the others wait and find nothing to do. */
const MIGRATING = "7310, 3";

/**
 * Applies what is missing, installs the queue and gives the runtime role its privileges; returns the names applied.
 * Several processes may call it at once. Throws MIGRATION_EDITED, MIGRATION_FAILED, DATABASE_NEWER, DATABASE_DIVERGED.
 */
export async function setUpDatabase(owner: pg.PoolConfig, runtimeRole: string, setup: Setup): Promise<string[]> {
  const migrations = readMigrations(setup.migrationsDir);
  const privileges: Privileges = setup.privileges ?? PRIVILEGES;
  const client = new pg.Client(owner);
  client.on("error", () => {}); // the statement at work rejects too
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(${MIGRATING})`);
    await forgetBrokenOff(client);
    const missing = await missingMigrations(client, migrations);
    if (missing.length) await applyMissing(owner, client, migrations);
    await createSetupTable(client);
    const digest = setupDigest(migrations, privileges, setup.queues);
    if ((await keptDigest(client, runtimeRole)) !== digest) {
      if (setup.queues) await installJobs(owner, runtimeRole, setup.queues);
      await applyGrants(client, runtimeRole, privileges);
      if (setup.queues) await keepDigest(client, runtimeRole, digest);
    }
    return missing;
  } finally {
    await client.end(); // ends the lock too
  }
}

/**
 * A script and the note that it is finished commit together (schema-engine.ts), and what PostgreSQL refused has its
 * reason in `logs`. An unfinished one without a reason is a process that died: nothing of it was kept.
 */
async function forgetBrokenOff(client: pg.ClientBase): Promise<void> {
  const text = `update public._prisma_migrations set rolled_back_at = now()
    where finished_at is null and rolled_back_at is null and logs is null`;
  await client.query(text).catch((error: unknown) => {
    if (!isUndefinedTable(error)) throw error;
  });
}

async function applyMissing(
  owner: pg.PoolConfig,
  client: pg.ClientBase,
  migrations: readonly Migration[],
): Promise<void> {
  try {
    await applyScripts(owner, migrations);
  } catch (error) {
    const unfinished = `select migration_name from public._prisma_migrations
      where finished_at is null and rolled_back_at is null`;
    const { rows } = await client.query<{ migration_name: string }>(unfinished);
    if (!rows[0]) throw error;
    throw migrationFailed(rows[0].migration_name, reasonOf(error), error);
  }
}

/** PostgreSQL quotes values in the messages of class 22 (data exceptions): then its code has to do. */
function reasonOf(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return `${(error as Error).message}.`;
  return error.code?.startsWith("22")
    ? `PostgreSQL refused data (${error.code}).`
    : `PostgreSQL said: ${error.message}.`;
}
