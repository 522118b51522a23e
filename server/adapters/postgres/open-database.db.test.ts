import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { HubError } from "../../errors.ts";
import { type EmbeddedPostgres, joinEmbeddedPostgres, stopEmbeddedPostgres } from "./embedded-postgres.ts";
import { type OpenDatabase, openDatabase } from "./open-database.ts";

const scratch = mkdtempSync(join(tmpdir(), "countersign-open-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function query(config: pg.ClientConfig, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(config);
  await client.connect();
  return await client
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

async function refusal(promise: Promise<OpenDatabase>): Promise<HubError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HubError);
  return error;
}

describe("openDatabase without a URL", () => {
  it("runs a PostgreSQL of its own, migrated, and opens it again", async () => {
    const place = { dataDir: join(scratch, "own"), setup: { queues: [{ name: "work" }] } };
    const told: string[] = [];
    const first = await openDatabase({ ...place, onProgress: (sentence) => told.push(sentence) });
    assert.equal(told.length, 2);
    assert.equal(first.kind, "embedded");
    assert.equal(first.osUser, process.getuid?.() === 0 ? "postgres" : undefined);
    assert.deepEqual(await query(first.runtime, "select current_user::text as role, hub_account() as hub"), [
      { role: "countersign_hub", hub: null },
    ]);
    const second = await openDatabase({ ...place, onProgress: (sentence) => told.push(sentence) });
    assert.equal(told.length, 2);
    assert.deepEqual(second.runtime, first.runtime);
    await Promise.all([first.release(), second.release()]);
    await stopEmbeddedPostgres(place.dataDir);
  });

  it("stops where the data folder cannot be written to", async () => {
    writeFileSync(join(scratch, "file"), "");
    const message = /^[^.]*COUNTERSIGN_DATA_DIR[^.]*COUNTERSIGN_CONFIG_DIR[^.]*\.$/;
    await assert.rejects(openDatabase({ dataDir: join(scratch, "file") }), { code: "DATA_FOLDER_UNUSABLE", message });
  });

  it("refuses a migration URL alone", async () => {
    const place = { dataDir: join(scratch, "none"), migrationUrl: "postgres://localhost/x" };
    await assert.rejects(openDatabase(place), { code: "CONFIG_INVALID", path: "DATABASE_URL" });
  });
});

describe("openDatabase with URLs", () => {
  const dataDir = join(scratch, "unused");
  const setup = { queues: [{ name: "work" }] };
  let server: EmbeddedPostgres;
  before(async () => {
    // a server that knows nothing of the hub yet
    server = await joinEmbeddedPostgres(join(scratch, "server"), { settings: { fsync: "off" } });
    await query(server.superuser, 'create database "some db"');
  });
  after(async () => {
    await server.release();
    await stopEmbeddedPostgres(join(scratch, "server"));
  });

  const url = (user: string, password: string, database = "some%20db") =>
    `postgres://${user}:${password}@${encodeURIComponent(server.superuser.host as string)}:5432/${database}`;
  const databaseUrl = () => url("countersign_hub", "h");
  const migrationUrl = () => url("countersign_owner", "o");
  const superUrl = () => url("postgres", server.superuser.password as string);

  /** The commands of a refusal, as an administrator runs them in psql. */
  async function follow({ message }: HubError): Promise<void> {
    const commands = message.split("\n").filter((line) => line.startsWith("  ") && !line.includes("_URL="));
    const script = commands.map((line) =>
      line.replace(/\\password countersign_(.)(.*)/, "alter role countersign_$1$2 password '$1';"),
    );
    await query({ ...server.superuser, database: "some db" }, script.join("\n"));
  }

  it("refuses a superuser, and what it tells to do is what it takes", async () => {
    const refused = await refusal(openDatabase({ dataDir, databaseUrl: superUrl(), setup }));
    assert.equal(refused.code, "DATABASE_ROLE_UNSAFE");
    assert.ok(!refused.message.includes(server.superuser.password as string));
    await follow(refused);
    const opened = await openDatabase({ dataDir, databaseUrl: databaseUrl(), migrationUrl: migrationUrl(), setup });
    assert.equal(opened.kind, "external");
    assert.deepEqual(await query(opened.runtime, "select hub_account() as hub"), [{ hub: null }]);
    await opened.release();
  });

  it("takes the runtime URL alone once somebody has migrated", async () => {
    const opened = await openDatabase({ dataDir, databaseUrl: databaseUrl(), setup });
    assert.equal(opened.owner, undefined);
    const missing = openDatabase({ dataDir, databaseUrl: databaseUrl(), setup: { queues: [{ name: "more" }] } });
    await assert.rejects(missing, { code: "CONFIG_INVALID", path: "COUNTERSIGN_MIGRATION_URL" });
  });

  it("refuses the runtime URL alone on a database that nobody has migrated", async () => {
    await query(server.superuser, "create database fresh");
    const refused = await refusal(openDatabase({ dataDir, databaseUrl: url("countersign_hub", "h", "fresh"), setup }));
    assert.equal(refused.code, "CONFIG_INVALID");
    assert.match(refused.message, /alter database "fresh" owner to "countersign_owner"/);
  });

  it("refuses the owner, alone and as both", async () => {
    for (const more of [{}, { migrationUrl: migrationUrl() }]) {
      const refused = await refusal(openDatabase({ dataDir, databaseUrl: migrationUrl(), setup, ...more }));
      assert.equal(refused.code, "DATABASE_ROLE_UNSAFE");
      assert.match(refused.message, /DATABASE_URL=postgres:\/\/countersign_hub:/);
    }
  });

  it("refuses two URLs of different databases", async () => {
    const other = openDatabase({
      dataDir,
      databaseUrl: databaseUrl(),
      migrationUrl: url("countersign_owner", "o", "fresh"),
    });
    await assert.rejects(other, { code: "CONFIG_INVALID", path: "COUNTERSIGN_MIGRATION_URL" });
  });

  it("says which URL does not answer, without its password", async () => {
    for (const bad of [
      url("countersign_hub", "wrong-secret"),
      "postgres://u:wrong-secret@%2Fnowhere/x",
      "wrong-secret:",
    ]) {
      const refused = await refusal(openDatabase({ dataDir, databaseUrl: bad }));
      assert.equal(refused.code, "DATABASE_UNREACHABLE");
      assert.equal(refused.path, "DATABASE_URL");
      assert.ok(!refused.message.includes("wrong-secret"), refused.message);
    }
  });
});
