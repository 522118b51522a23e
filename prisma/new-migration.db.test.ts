import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { draft, newMigration } from "./new-migration.ts";

const scratch = mkdtempSync(join(tmpdir(), "countersign-draft-test-"));
after(() => rmSync(scratch, { recursive: true }));

const DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n';
const MODEL = 'model Pen {\n  id Int @id\n  colour String\n\n  @@map("pen")\n}\n';

describe("draft", () => {
  it("finds no difference between prisma/migrations and prisma/schema", async () => {
    const statements = (await draft()).split("\n").filter((line) => line.trim() && !line.startsWith("--"));
    assert.deepEqual(statements, []);
  });
});

describe("newMigration", () => {
  const migrationsDir = join(scratch, "migrations");
  const schemaDir = join(scratch, "schema");
  mkdirSync(join(migrationsDir, "20260101000000_first"), { recursive: true });
  mkdirSync(schemaDir);
  const first = `create table pen (id integer primary key);
    create function count_pens() returns bigint language sql as $$ select count(*) from pen; $$;`;
  writeFileSync(join(migrationsDir, "20260101000000_first", "migration.sql"), first);
  writeFileSync(join(schemaDir, "main.prisma"), DATASOURCE);
  writeFileSync(join(schemaDir, "pen.prisma"), MODEL);

  it("drafts what leads from the migrations to the models, as the next in time", async () => {
    const now = new Date("2026-02-03T04:05:06Z");
    const path = await newMigration("add_colour", { migrationsDir, schemaDir, now });
    assert.equal(path, join(migrationsDir, "20260203040506_add_colour", "migration.sql"));
    const text = readFileSync(path, "utf8");
    assert.match(text, /^-- Why: \n/);
    assert.match(text, /ALTER TABLE "pen" ADD COLUMN +"colour" TEXT NOT NULL/);
    assert.doesNotMatch(text, /CREATE TABLE/);
  });

  it("refuses a name that is none, and writes nothing", async () => {
    const before = readdirSync(migrationsDir);
    for (const name of ["", "Add Colour", "../out", "add-colour"]) {
      await assert.rejects(newMigration(name, { migrationsDir, schemaDir }), { code: "INPUT_INVALID", path: "name" });
    }
    assert.deepEqual(readdirSync(migrationsDir), before);
  });
});
