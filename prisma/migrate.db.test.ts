import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { emptyDatabase, type TestDatabase } from "../server/adapters/postgres/test-database.ts";
import { HubError } from "../server/errors.ts";
import { isSetUp, migrate } from "./migrate.ts";

const ENTRY = fileURLToPath(new URL("./run-migrations.ts", import.meta.url));
const RUNTIME = "countersign_hub";
const scratch = mkdtempSync(join(tmpdir(), "countersign-migrate-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const FIRST = `create table pen (id integer primary key, colour text not null);
create function hub_pens() returns bigint language sql as $$ select count(*) from pen; $$;
alter table pen enable row level security;
alter table pen force row level security;
create policy all_pens on pen using (true);
`;
const SECOND = "alter table pen add column cap text;\n";

type Scripts = Readonly<Record<string, string>>;

function folder(scripts: Scripts): string {
  const dir = mkdtempSync(join(scratch, "migrations-"));
  for (const [name, script] of Object.entries(scripts)) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, "migration.sql"), script);
  }
  return dir;
}

const setup = (scripts: Scripts, more = {}) => ({
  migrationsDir: folder(scripts),
  privileges: {},
  queues: [{ name: "work" }],
  ...more,
});

type Empty = Pick<TestDatabase, "owner" | "runtime" | "superuser">;

async function rows(config: pg.PoolConfig, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(config);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function refusal(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HubError);
  return error;
}

const ready = async (db: Empty, wanted: Parameters<typeof isSetUp>[2]) => {
  const client = new pg.Client(db.runtime);
  await client.connect();
  return await isSetUp(client, RUNTIME, wanted).finally(() => client.end());
};

describe("migrate", () => {
  it("applies what is missing, in order, once, functions and all", async () => {
    await using db = await emptyDatabase();
    const one = setup({ "1_pens": FIRST });
    assert.deepEqual(await migrate(db.owner, RUNTIME, one), ["1_pens"]);
    assert.deepEqual(await migrate(db.owner, RUNTIME, one), []);
    assert.ok(await ready(db, one));
    const two = setup({ "1_pens": FIRST, "2_caps": SECOND });
    assert.ok(!(await ready(db, two)));
    assert.deepEqual(await migrate(db.owner, RUNTIME, two), ["2_caps"]);
    assert.deepEqual(await rows(db.runtime, "select hub_pens() as n, array(select cap from pen) as caps"), [
      { n: "0", caps: [] },
    ]);
  });

  it("installs the queues for the runtime role", async () => {
    await using db = await emptyDatabase();
    await migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST }, { queues: [{ name: "a" }, { name: "b" }] }));
    assert.deepEqual(await rows(db.runtime, "select name from pgboss.queue order by name"), [
      { name: "a" },
      { name: "b" },
    ]);
  });

  it("sees that privileges or queues changed although migrations did not", async () => {
    await using db = await emptyDatabase();
    const before = setup({ "1_pens": FIRST });
    await migrate(db.owner, RUNTIME, before);
    await rows(db.runtime, "insert into pen values (1, 'red') returning id");
    const after = { ...before, privileges: { pen: ["select"] }, queues: [{ name: "work" }, { name: "more" }] };
    assert.ok(!(await ready(db, after)));
    await migrate(db.owner, RUNTIME, after);
    assert.ok(await ready(db, after));
    await assert.rejects(rows(db.runtime, "insert into pen values (2, 'red')"), { code: "42501" });
    assert.equal((await rows(db.runtime, "select name from pgboss.queue")).length, 2);
  });

  it("leaves queues and digest to others where a process has nothing to do with jobs", async () => {
    await using db = await emptyDatabase();
    const { queues: _, ...without } = setup({ "1_pens": FIRST });
    assert.deepEqual(await migrate(db.owner, RUNTIME, without), ["1_pens"]);
    assert.ok(await ready(db, without));
    assert.ok(!(await ready(db, { ...without, queues: [] })));
  });

  it("lets several processes migrate at once: one does it", async () => {
    await using db = await emptyDatabase();
    const wanted = setup({ "1_pens": FIRST, "2_caps": SECOND });
    const script = `import { migrate } from ${JSON.stringify(new URL("./migrate.ts", import.meta.url).href)};
      const [owner, setup] = process.argv.slice(1).map((text) => JSON.parse(text));
      console.log((await migrate(owner, "${RUNTIME}", setup)).length);`;
    const args = ["--input-type=module", "-e", script, JSON.stringify(db.owner), JSON.stringify(wanted)];
    const runs = await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, args)));
    assert.deepEqual(runs.map(({ stdout }) => stdout.trim()).sort(), ["0", "0", "2"]);
    assert.ok(await ready(db, wanted));
  });

  it("refuses a migration that was edited after it was applied", async () => {
    await using db = await emptyDatabase();
    const wanted = setup({ "1_pens": FIRST });
    await migrate(db.owner, RUNTIME, wanted);
    appendFileSync(join(wanted.migrationsDir, "1_pens", "migration.sql"), "-- one more thing\n");
    await assert.rejects(migrate(db.owner, RUNTIME, wanted), { code: "MIGRATION_EDITED", message: /1_pens/ });
  });

  it("takes a checkout with other line ends for the same", async () => {
    await using db = await emptyDatabase();
    await migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST }));
    assert.ok(await ready(db, setup({ "1_pens": FIRST.replaceAll("\n", "\r\n") })));
  });

  it("refuses a database that is newer than the program", async () => {
    await using db = await emptyDatabase();
    await migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST, "2_caps": SECOND }));
    const older = setup({ "1_pens": FIRST });
    await assert.rejects(migrate(db.owner, RUNTIME, older), { code: "DATABASE_NEWER", message: /2_caps/ });
  });

  it("refuses a database that went another way", async () => {
    await using db = await emptyDatabase();
    await migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST, "2_caps": SECOND }));
    const other = setup({ "1_pens": FIRST, "2_lids": "alter table pen add column lid text;\n" });
    const expected = { code: "DATABASE_DIVERGED", message: /2_caps.*2_lids/s };
    await assert.rejects(migrate(db.owner, RUNTIME, other), expected);
  });

  it("stops at a migration that fails, keeps nothing of it, and goes on once told so", async () => {
    await using db = await emptyDatabase();
    await migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST }));
    await rows(db.runtime, "insert into pen values (1, 'red'), (2, 'red')");
    const scripts = { "1_pens": FIRST, "2_one_a_colour": `${SECOND}create unique index pen_colour on pen (colour);\n` };
    const wanted = setup(scripts);
    const failed = await refusal(migrate(db.owner, RUNTIME, wanted));
    assert.equal(failed.code, "MIGRATION_FAILED");
    assert.match(failed.message, /2_one_a_colour.*could not create unique index/s);
    assert.deepEqual(await rows(db.runtime, "select * from pen where id = 1"), [{ id: 1, colour: "red" }]);

    await assert.rejects(migrate(db.owner, RUNTIME, wanted), { code: "MIGRATION_FAILED", message: /earlier start/ });
    await rows(db.runtime, "delete from pen where id = 2");
    await rows(db.owner, failed.details?.command as string);
    assert.deepEqual(await migrate(db.owner, RUNTIME, wanted), ["2_one_a_colour"]);
    assert.ok(await ready(db, wanted));
  });

  it("applies again what a killed process was at", async () => {
    await using db = await emptyDatabase();
    const scripts = { "1_gate": "create table gate (id integer);\n", "2_pens": `${FIRST}lock table gate;\n` };
    await migrate(db.owner, RUNTIME, setup({ "1_gate": scripts["1_gate"] }));
    const wanted = setup(scripts);

    const blocker = new pg.Client(db.owner);
    await blocker.connect();
    await blocker.query("begin; lock table gate");
    const child = fork(ENTRY, { execArgv: [] });
    await once(child, "message");
    child.send({ owner: { ...db.owner, application_name: "doomed" }, runtimeRole: RUNTIME, setup: wanted });
    const waiting =
      "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%lock table gate%'";
    while (!(await rows(db.superuser, waiting)).length);
    child.kill("SIGKILL");
    await once(child, "exit");
    // its session waits for the lock still, and would learn of the death only afterwards
    await rows(db.superuser, `select pg_terminate_backend(pid) from (${waiting}) w`);
    await blocker.end();

    assert.deepEqual(await migrate(db.owner, RUNTIME, wanted), ["2_pens"]);
    assert.deepEqual(await rows(db.runtime, "select hub_pens() as n"), [{ n: "0" }]);
  });

  it("notes in a script's own transaction that it is finished", async () => {
    await using db = await emptyDatabase();
    const watcher = `create table noted (name text, finished boolean, transaction xid8);
      create function note() returns trigger language plpgsql as $$ begin
        insert into public.noted values (new.migration_name, new.finished_at is not null, pg_current_xact_id());
        return new;
      end $$;
      create trigger note after update on _prisma_migrations for each row execute function note();`;
    const watched = "create table pen as select pg_current_xact_id() as transaction;\n";
    await migrate(db.owner, RUNTIME, setup({ "1_watcher": watcher, "2_pen": watched }));
    const together = "select finished from noted join pen using (transaction) where name = '2_pen'";
    assert.deepEqual(await rows(db.owner, together), [{ finished: true }]);
  });

  it("names the second of two migrations with the same script", async () => {
    await using db = await emptyDatabase();
    const failed = await refusal(migrate(db.owner, RUNTIME, setup({ "1_pens": FIRST, "2_again": FIRST })));
    assert.match(failed.message, /2_again.*relation "pen" already exists/s);
  });
});
