/** Which migrations this program knows, which of them the database has, and what it means where they disagree. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { HubError } from "../server/errors.ts";

export const MIGRATIONS_DIR = fileURLToPath(new URL("./migrations", import.meta.url));

export interface Migration {
  /** The folder's name; their order is the order of time. */
  readonly name: string;
  readonly script: string;
  /** SHA-256 of the script, hex: what Prisma keeps. */
  readonly checksum: string;
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished: boolean;
}

/** The migrations folder, sorted. */
export function readMigrations(dir: string = MIGRATIONS_DIR): Migration[] {
  const folders = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map((folder) => readMigration(dir, folder.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readMigration(dir: string, name: string): Migration {
  // a checkout that turned line ends into CRLF edited nothing
  const script = readFileSync(join(dir, name, "migration.sql"), "utf8").replaceAll("\r\n", "\n");
  return { name, script, checksum: createHash("sha256").update(script).digest("hex") };
}

/** Names of migrations that `client`'s database lacks. Throws what `compareHistory` throws. */
export async function missingMigrations(client: pg.ClientBase, known: readonly Migration[]): Promise<string[]> {
  return compareHistory(await readApplied(client), known);
}

async function readApplied(client: pg.ClientBase): Promise<AppliedRow[]> {
  try {
    const { rows } = await client.query<AppliedRow>(
      `select migration_name, checksum, finished_at is not null as finished
       from public._prisma_migrations where rolled_back_at is null order by started_at`,
    );
    return rows;
  } catch (error) {
    if (isUndefinedTable(error)) return [];
    throw error;
  }
}

/**
 * Names of known migrations that were not applied, in order. Throws MIGRATION_FAILED (one began and did not finish),
 * MIGRATION_EDITED (one was changed after it was applied), DATABASE_NEWER (the database has more than this program
 * knows), DATABASE_DIVERGED (each has what the other lacks).
 */
export function compareHistory(applied: readonly AppliedRow[], known: readonly Migration[]): string[] {
  const checksums = new Map(known.map((migration) => [migration.name, migration.checksum]));
  const failed = applied.find((row) => !row.finished)?.migration_name;
  if (failed) throw migrationFailed(failed, "It failed at an earlier start.");

  const edited = applied.filter((row) => (checksums.get(row.migration_name) ?? row.checksum) !== row.checksum);
  if (edited.length) {
    const names = edited.map((row) => row.migration_name).join(", ");
    throw new HubError(
      "MIGRATION_EDITED",
      `These migrations were edited after this database had them: ${names}. A landed migration is never edited: put its text back, and make the change in a new one (npm run migrate:new).`,
      { details: { migrations: edited.map((row) => row.migration_name) } },
    );
  }

  const unknown = applied.map((row) => row.migration_name).filter((name) => !checksums.has(name));
  const present = new Set(applied.map((row) => row.migration_name));
  const missing = known.map((migration) => migration.name).filter((name) => !present.has(name));
  if (unknown.length && missing.length) {
    throw new HubError(
      "DATABASE_DIVERGED",
      `This database and this program went different ways: it has ${unknown.join(", ")}, which the program does not know, and lacks ${missing.join(", ")}. Use the program that made it, or another database.`,
      { details: { unknown, missing } },
    );
  }
  if (unknown.length) {
    throw new HubError(
      "DATABASE_NEWER",
      `This database is newer than this program, which does not know ${unknown.join(", ")}. Start the newer version again, or restore a backup from before the upgrade.`,
      { details: { unknown } },
    );
  }
  return missing;
}

/** `reason` is a sentence. */
export function migrationFailed(name: string, reason: string, cause?: unknown): HubError {
  const again = `update _prisma_migrations set rolled_back_at = now() where migration_name = ${pg.escapeLiteral(name)} and finished_at is null;`;
  return new HubError(
    "MIGRATION_FAILED",
    `The migration ${name} could not be applied. ${reason} Its script ran as one transaction, so nothing of it was kept. Mend the cause, run as the owner (COUNTERSIGN_MIGRATION_URL)\n  ${again}\nand start again.`,
    { cause, details: { migration: name, command: again } },
  );
}

export function isUndefinedTable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "42P01";
}
