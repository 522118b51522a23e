/** Backups of other programs' databases, and large ones, without a hub. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { v7 } from "uuid";
import { migrate } from "../../../prisma/migrate.ts";
import { MIGRATIONS_DIR, readMigrations } from "../../../prisma/migration-history.ts";
import { writeArchive } from "../../../server/adapters/backup-file/archive-writer.ts";
import { openSnapshot, type Snapshot } from "../../../server/adapters/postgres/backup-reader.ts";
import { RUNTIME_ROLE } from "../../../server/adapters/postgres/embedded-roles.ts";
import { type Login, ownerSession } from "../../../server/adapters/postgres/owner-session.ts";
import { emptyDatabase } from "../../../server/adapters/postgres/test-database.ts";
import type { KeyService } from "../../../server/domain/keys/key-service.ts";
import { examineTables } from "./examine-restored.ts";
import { fillArchive } from "./fill-archive.ts";
import { loadBackup } from "./load-backup.ts";
import { openBackup } from "./read-backup.ts";
import { StopSignal } from "./stop-signal.ts";

const NO_KEYS = { list: async () => [] } as unknown as KeyService;
const quiet = () => {};

let folder: string;
let identity: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-load-"));
  identity = await generateX25519Identity();
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A database under these migrations, with one account in it. */
async function database(migrations: readonly string[]) {
  const db = await emptyDatabase();
  const migrationsDir = join(folder, v7());
  mkdirSync(migrationsDir);
  for (const name of migrations) cpSync(join(MIGRATIONS_DIR, name), join(migrationsDir, name), { recursive: true });
  await migrate(db.owner, RUNTIME_ROLE, { migrationsDir, privileges: {} });
  const owner = await ownerSession(db.owner);
  await owner.query("insert into account (id, name, profile, is_hub) values ($1, $2, 'solo', true)", [
    v7(),
    "a tab\tand a line\nand a back\\slash, ünï → 🗝",
  ]);
  return {
    owner,
    login: db.owner,
    async [Symbol.asyncDispose]() {
      await owner.end();
      await db[Symbol.asyncDispose]();
    },
  };
}

async function backUp(owner: Login, change: (facts: Snapshot["facts"]) => Snapshot["facts"] = (facts) => facts) {
  const path = join(folder, `${v7()}.age`);
  const facts = {
    id: v7(),
    hubId: v7(),
    createdAt: new Date().toISOString(),
    program: "0",
    keyService: "embedded",
  } as const;
  await writeArchive(
    { path, part: `${path}.part` },
    { recipients: [await identityToRecipient(identity)] },
    async (archive) => {
      await using snapshot = await openSnapshot(owner);
      const told = { ...snapshot, facts: change(snapshot.facts) };
      await fillArchive(archive, { snapshot: told, keys: NO_KEYS, facts }, quiet);
    },
  );
  return path;
}

const open = (path: string) => openBackup(path, { identities: [identity] });
const names = readMigrations().map(({ name }) => name);

test("a backup from before an upgrade is restored as it was, and then upgraded", async () => {
  await using from = await database(names.slice(0, -1));
  await using to = await emptyDatabase();
  await using backup = await open(await backUp(from.login));
  const place = { owner: to.owner, runtimeRole: RUNTIME_ROLE };
  await loadBackup(place, backup, quiet);
  assert.deepEqual((await examineTables(place, backup)).findings, []);
  assert.deepEqual(await migrate(to.owner, RUNTIME_ROLE, { restoring: true }), names.slice(-1));
  const session = await ownerSession(to.owner);
  try {
    const accounts = "select name from account";
    assert.deepEqual((await session.query(accounts)).rows, (await from.owner.query(accounts)).rows);
  } finally {
    await session.end();
  }
  await assert.rejects(migrate(to.owner, RUNTIME_ROLE), { code: "RESTORE_UNFINISHED" });
});

test("one of a newer program, or of another history, is refused before anything is done", async () => {
  await using from = await database(names);
  const later = { name: "20991231000000_later", checksum: "0".repeat(64) };
  const newer = await backUp(from.login, (facts) => ({ ...facts, migrations: [...facts.migrations, later] }));
  await assert.rejects(open(newer), { code: "DATABASE_NEWER" });
  const diverged = await backUp(from.login, (facts) => ({
    ...facts,
    migrations: [...facts.migrations.slice(1), later],
  }));
  await assert.rejects(open(diverged), { code: "DATABASE_DIVERGED" });
  const edited = await backUp(from.login, ({ migrations: [first, ...rest], ...facts }) => ({
    ...facts,
    migrations: [{ name: first?.name ?? "", checksum: later.checksum }, ...rest],
  }));
  await assert.rejects(open(edited), { code: "MIGRATION_EDITED" });
  await using same = await open(await backUp(from.login));
  assert.equal(same.manifest.migrations.length, names.length);
});

test("rows that are none, or a table too few, leave nothing behind", async () => {
  await using from = await database(names);
  await using to = await emptyDatabase();
  const place = { owner: to.owner, runtimeRole: RUNTIME_ROLE };
  const lacking = await backUp(from.login, (facts) => ({ ...facts, tables: facts.tables.slice(1) }));
  await using poor = await open(lacking);
  await assert.rejects(loadBackup(place, poor, quiet), { code: "DATABASE_DIVERGED" });
  await using whole = await open(await backUp(from.login));
  const twice = {
    ...whole,
    async *tables() {
      for await (const part of whole.tables()) yield { ...part, piece: Buffer.concat([part.piece, part.piece]) };
    },
  };
  await assert.rejects(loadBackup(place, twice, quiet), { code: "BACKUP_DAMAGED" });
  await using again = await open(await backUp(from.login));
  await loadBackup(place, again, quiet);
  assert.deepEqual((await examineTables(place, again)).rows, again.totals().tables["account"]?.rows);
});

test("stopped in the middle, it leaves nothing, and can be done again", async () => {
  await using from = await database(names);
  await using to = await emptyDatabase();
  const path = await backUp(from.login);
  const place = { owner: to.owner, runtimeRole: RUNTIME_ROLE };
  const listeners = () => process.listenerCount("SIGTERM");
  const before = listeners();
  {
    using stop = new StopSignal();
    await using backup = await openBackup(path, { identities: [identity] }, stop.check);
    assert.equal(listeners(), before + 1);
    await assert.rejects(
      loadBackup(place, backup, () => void process.emit("SIGTERM")),
      { code: "CANCELLED" },
    );
    assert.equal(listeners(), before, "a second one ends it at once");
  }
  await using backup = await open(path);
  await loadBackup(place, backup, quiet);
  assert.deepEqual((await examineTables(place, backup)).findings, []);
});

test("memory stays flat, however many rows there are and however long one is", async () => {
  await using from = await database(names);
  await from.owner.query(
    `insert into receipt (account_id, epoch_no, sequence, call_id, phase, action, code, at, statement)
     select a.id, 1, n, gen_random_uuid(), 'outcome', 'test', 'OK', now(),
       case when n = 0 then convert_to(repeat('x', 20000000), 'UTF8') else convert_to(repeat(md5(n::text), 200), 'UTF8') end
     from account a, generate_series(0, 10000) n`,
  );
  const { arrayBuffers: held } = process.memoryUsage();
  let most = 0;
  const look = () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - held);
  };
  const path = await backUp(from.login);
  await using to = await emptyDatabase();
  await using backup = await open(path);
  const watched = {
    ...backup,
    async *tables() {
      for await (const part of backup.tables()) {
        look();
        yield part;
      }
    },
  };
  const place = { owner: to.owner, runtimeRole: RUNTIME_ROLE };
  await loadBackup(place, watched, quiet);
  assert.deepEqual((await examineTables(place, backup)).findings, []);
  const { bytes = 0 } = backup.totals().tables["receipt"] ?? {};
  assert.ok(bytes > 160_000_000, String(bytes));
  assert.ok(most < 100_000_000, `${most} bytes of buffers`);
});
