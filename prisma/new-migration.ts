/**
 * `npm run migrate:new -- <name>` drafts the next migration: what leads from prisma/migrations to prisma/schema, worked
 * out on a scratch PostgreSQL. The draft is to be read and completed: policies, grants and functions are not in models.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { joinEmbeddedPostgres, stopEmbeddedPostgres } from "../server/adapters/postgres/embedded-postgres.ts";
import { prepareEmbeddedRoles } from "../server/adapters/postgres/embedded-roles.ts";
import { HubError } from "../server/errors.ts";
import { MIGRATIONS_DIR, readMigrations } from "./migration-history.ts";
import { draftScript, SCHEMA_DIR } from "./schema-engine.ts";

/** Writes the draft and returns its path. `name` is snake_case: lower-case letters, digits, underscores. */
export async function newMigration(
  name: string,
  { migrationsDir = MIGRATIONS_DIR, schemaDir = SCHEMA_DIR, now = new Date() } = {},
): Promise<string> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new HubError("INPUT_INVALID", "Name the change in lower-case words joined by underscores.", { path: "name" });
  }
  const script = await draft(migrationsDir, schemaDir);
  const stamp = now.toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const folder = join(migrationsDir, `${stamp}_${name}`);
  mkdirSync(folder);
  const path = join(folder, "migration.sql");
  writeFileSync(path, `-- Why: \n${script}`, { flag: "wx" });
  return path;
}

/** The difference as SQL; a comment alone where there is none. */
export async function draft(migrationsDir: string = MIGRATIONS_DIR, schemaDir: string = SCHEMA_DIR): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "countersign-draft-"));
  try {
    const embedded = await joinEmbeddedPostgres(scratch, { settings: { fsync: "off" } });
    try {
      const { owner } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
      return await draftScript(owner, readMigrations(migrationsDir), schemaDir);
    } finally {
      await embedded.release();
      await stopEmbeddedPostgres(scratch);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const path = await newMigration(process.argv[2] ?? "");
  console.log(`${relative(process.cwd(), path)}: read it, say why at its top, and start the hub to apply it.`);
}
