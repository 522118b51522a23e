import assert from "node:assert/strict";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { emptyDatabase, testDatabase } from "../../server/adapters/postgres/test-database.ts";
import { QUEUES } from "../../server/jobs/queues.ts";
import { TestHubs } from "../../server/test-hub.ts";
import { runCommand, ScratchHub } from "../scratch-hub.fixture.ts";
import type { Finding } from "./doctor/finding.ts";

interface Looked {
  readonly code: number | null;
  readonly ok: boolean;
  readonly of: (check: string) => Finding;
}

async function look(env: NodeJS.ProcessEnv): Promise<Looked> {
  const { code, out, err } = await runCommand(env, ["doctor", "--json"]);
  assert.ok(out !== "", err);
  const { ok, findings } = JSON.parse(out) as { ok: boolean; findings: Finding[] };
  assert.equal(code, ok ? 0 : 1);
  for (const { state, mend } of findings) assert.equal(mend !== undefined && mend.length > 0, state === "broken");
  const of = (check: string) => findings.find((finding) => finding.check === check) ?? assert.fail(`no ${check}`);
  return { code, ok, of };
}

const brokenOnes = (looked: Looked, ...checks: string[]) =>
  checks.map((check) => looked.of(check)).map(({ state, mend = [] }) => [state, mend.join("\n")]);

describe("without DATABASE_URL", () => {
  let hub: ScratchHub;
  before(async () => {
    hub = await ScratchHub.open();
  });
  after(() => hub[Symbol.asyncDispose]());

  test("a running hub and one that is stopped are sound", async () => {
    assert.equal((await look(hub.env)).ok, true);
    await hub.stop();
    const { ok, of } = await look(hub.env);
    assert.equal(ok, true);
    assert.match(of("database").says, /PostgreSQL 18.*embedded/);
    assert.equal(of("account keys").state, "sound");
    assert.match((await hub.run("doctor")).out, /ok {3,}database .*\n[^]*Nothing to mend\.\n$/);
  });

  test("a data folder that others can read is told in words, with the command", async () => {
    chmodSync(hub.dataDir, 0o755);
    const { code, out } = await hub.run("doctor");
    chmodSync(hub.dataDir, 0o700);
    assert.equal(code, 1);
    assert.match(out, new RegExp(`MEND +data folder [^\n]*\n +chmod 700 ${hub.dataDir}\n[^]*To mend: 1\\.`));
  });

  test("a folder that others may write to is not opened; the rest is looked at all the same", async () => {
    chmodSync(hub.dataDir, 0o777);
    const looked = await look(hub.env);
    chmodSync(hub.dataDir, 0o700);
    assert.deepEqual(brokenOnes(looked, "database"), [["broken", `chmod go-w ${hub.dataDir}`]]);
    assert.equal(looked.of("migrations").state, "unknown");
    assert.equal(looked.of("root key").state, "sound");
  });

  test("a root key that is gone, and one of another hub", async () => {
    const path = join(hub.path, "config/hub/root.key");
    renameSync(path, `${path}.kept`);
    const gone = await look(hub.env);
    assert.match(brokenOnes(gone, "root key")[0]?.[1] ?? "", /^install -m 600 <your backup of root\.key>/);
    assert.equal(gone.of("account keys").state, "unknown");
    writeFileSync(path, `${Buffer.alloc(32, 1).toString("base64")}\n`, { mode: 0o600 });
    const foreign = await look(hub.env);
    assert.equal(foreign.of("root key").state, "sound");
    assert.equal(foreign.of("account keys").state, "broken");
    renameSync(`${path}.kept`, path);
    assert.equal((await look(hub.env)).ok, true);
  });
});

describe("with DATABASE_URL", () => {
  let hubs: TestHubs;
  before(async () => {
    hubs = await TestHubs.open();
    await (await hubs.start()).stop();
  });
  after(() => hubs[Symbol.asyncDispose]());

  /** The same settings on another database. */
  const envOn = (change: NodeJS.ProcessEnv) => ({ ...hubs.env(), ...change });
  const urlOf = ({ user, password, host, port, database }: pg.PoolConfig) =>
    `postgres://${user}:${encodeURIComponent(String(password))}@${encodeURIComponent(host ?? "")}:${port}/${database}`;
  const only = (config: pg.PoolConfig) => ({ DATABASE_URL: urlOf(config), COUNTERSIGN_MIGRATION_URL: "" });

  test("both roles, and the runtime role alone, are sound", async () => {
    assert.equal((await look(hubs.env())).ok, true);
    const alone = await look(envOn({ COUNTERSIGN_MIGRATION_URL: "" }));
    assert.equal(alone.ok, true);
    assert.match(alone.of("database").says, /external/);
  });

  test("a superuser, and the owner in the runtime role's place, come with the commands that make two roles", async () => {
    for (const login of [hubs.db.superuser, hubs.db.owner as pg.PoolConfig]) {
      const [[state, mend] = []] = brokenOnes(await look(envOn(only(login))), "database roles");
      assert.equal(state, "broken");
      assert.match(mend ?? "", /role "countersign_hub"|alter database/);
    }
  });

  test("two databases under the two URLs", async () => {
    await using other = await emptyDatabase();
    const looked = await look(envOn({ COUNTERSIGN_MIGRATION_URL: urlOf(other.owner) }));
    assert.match(brokenOnes(looked, "database roles")[0]?.[1] ?? "", /COUNTERSIGN_MIGRATION_URL/);
  });

  test("a database that was never migrated: by start, where the owner's URL is there", async () => {
    await using other = await emptyDatabase();
    const both = { DATABASE_URL: urlOf(other.runtime), COUNTERSIGN_MIGRATION_URL: urlOf(other.owner) };
    assert.deepEqual(brokenOnes(await look(envOn(both)), "migrations"), [["broken", "npx countersign start"]]);
    const [[, mend] = []] = brokenOnes(await look(envOn(only(other.runtime))), "migrations");
    assert.match(mend ?? "", /^COUNTERSIGN_MIGRATION_URL=/);
  });

  test("migrations that were edited, those that failed, and those of a newer version", async () => {
    await using other = await testDatabase({ queues: QUEUES });
    const client = new pg.Client(other.owner);
    await client.connect();
    const change = async (text: string) => {
      await client.query(text);
      return brokenOnes(await look(envOn(only(other.runtime))), "migrations")[0]?.[1] ?? "";
    };
    try {
      assert.equal((await look(envOn(only(other.runtime)))).of("migrations").state, "sound");
      assert.match(await change("update _prisma_migrations set checksum = 'x'"), /git checkout/);
      assert.match(
        await change("update _prisma_migrations set finished_at = null, logs = 'no'"),
        /^psql .*rolled_back_at/,
      );
    } finally {
      await client.end();
    }
    await using newer = await testDatabase({ queues: QUEUES });
    const owner = new pg.Client(newer.owner);
    await owner.connect();
    await owner.query(
      `insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
       values ('x', 'x', now(), '29990101000000_later', now(), 1)`,
    );
    await owner.end();
    const looked = await look(envOn(only(newer.runtime)));
    assert.match(brokenOnes(looked, "migrations")[0]?.[1] ?? "", /git pull/);
  });

  test("a server that is not there, and a password that is wrong, show no password", async () => {
    const wrong = { ...hubs.db.runtime, password: "not-the-password" };
    for (const login of [wrong, { ...wrong, host: "127.0.0.1", port: 9 }]) {
      const { code, out } = await runCommand(envOn(only(login)), ["doctor"]);
      assert.equal(code, 1);
      assert.match(out, /MEND +database [^\n]*DATABASE_URL lets nobody in[^\n]*\n +psql "\$DATABASE_URL"/);
      assert.ok(!out.includes("not-the-password"));
    }
  });
});
