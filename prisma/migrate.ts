import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { PRIVILEGES } from "../server/adapters/postgres/privileges.ts";
import { refuseUnfinishedRestore } from "../server/adapters/postgres/restore-marker.ts";
import { type ErrorCode, HubError } from "../server/errors.ts";
import { missingMigrations, readMigrations } from "./migration-history.ts";
import type { MigrationAnswer, MigrationRequest } from "./run-migrations.ts";
import { keptDigest, type Setup, setupDigest } from "./setup.ts";

const ENTRY = fileURLToPath(new URL("./run-migrations.ts", import.meta.url));

/**
 * Whether the database that `client` is signed in to is as `setup` wants it, for this runtime role. Any role that may
 * read the bookkeeping can ask. Throws RESTORE_UNFINISHED, MIGRATION_EDITED, MIGRATION_FAILED, DATABASE_NEWER, DATABASE_DIVERGED.
 */
export async function isSetUp(client: pg.ClientBase, runtimeRole: string, setup: Setup): Promise<boolean> {
  if (!setup.restoring) await refuseUnfinishedRestore(client);
  const migrations = readMigrations(setup.migrationsDir);
  if ((await missingMigrations(client, migrations)).length) return false;
  if (!setup.queues) return true;
  const digest = setupDigest(migrations, setup.privileges ?? PRIVILEGES, setup.queues);
  return (await keptDigest(client, runtimeRole)) === digest;
}

/**
 * Brings the database up to date, with the owner's login; returns the names of the migrations applied. Where nothing
 * is due that costs two small queries; otherwise a short process does it, and of several hubs starting at once one.
 * Throws what `isSetUp` throws.
 */
export async function migrate(
  owner: pg.PoolConfig,
  runtimeRole: string,
  setup: Setup = {},
  onProgress: (sentence: string) => void = () => {},
): Promise<string[]> {
  if (await isSetUpForOwner(owner, runtimeRole, setup)) return [];
  onProgress("Bringing the database up to date.");
  return await runMigrations({ owner, runtimeRole, setup });
}

async function isSetUpForOwner(owner: pg.PoolConfig, runtimeRole: string, setup: Setup): Promise<boolean> {
  const client = new pg.Client(owner);
  client.on("error", () => {});
  await client.connect();
  try {
    return await isSetUp(client, runtimeRole, setup);
  } catch (error) {
    // one that is being applied right now looks unfinished: the other process knows, under the lock
    if (error instanceof HubError && error.code === "MIGRATION_FAILED") return false;
    throw error;
  } finally {
    await client.end();
  }
}

function runMigrations(request: MigrationRequest): Promise<string[]> {
  // plain Node strips types; under another loader the child needs the parent's
  const execArgv = process.features.typescript ? [] : process.execArgv;
  const child = fork(ENTRY, { execArgv, stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("message", (answer: "ready" | MigrationAnswer) => {
      if (answer === "ready") child.send(request);
      else if ("applied" in answer) resolve(answer.applied);
      else reject(errorFrom(answer.error));
    });
    child.on("close", (status, signal) => {
      // after an answer this changes nothing
      const message = `The migrating process ended before it was done (${signal ?? status}).`;
      reject(new HubError("MIGRATION_FAILED", message, { cause: new Error(said) }));
    });
  });
}

function errorFrom({ code, message, details, cause }: Extract<MigrationAnswer, { error: object }>["error"]): HubError {
  const why = cause === undefined ? {} : { cause: new Error(cause) };
  return new HubError(code as ErrorCode, message, { ...(details ? { details } : {}), ...why });
}
