import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { it } from "node:test";
import { promisify } from "node:util";
import pg from "pg";
import { testDatabase } from "./test-database.ts";

const names = async (config: pg.PoolConfig): Promise<string[]> => {
  const client = new pg.Client(config);
  await client.connect();
  const { rows } = await client.query<{ datname: string }>("select datname from pg_database");
  return client.end().then(() => rows.map(({ datname }) => datname));
};

it("gives each test a migrated database of its own, and takes it back", async () => {
  let gone: string | undefined;
  await using kept = await testDatabase();
  {
    await using db = await testDatabase();
    gone = db.runtime.database;
    assert.notEqual(gone, kept.runtime.database);
    assert.deepEqual((await db.database.query("select hub_account() as id")).rows, [{ id: null }]);
  }
  const present = await names(kept.superuser);
  assert.ok(present.includes(kept.runtime.database ?? ""));
  assert.ok(!present.includes(gone ?? ""));
});

it("keeps the queues of one test from the others", async () => {
  await using db = await testDatabase({ queues: [{ name: "only-here" }] });
  await using other = await testDatabase();
  const queues = "select name from pgboss.queue";
  assert.deepEqual((await db.database.query(queues)).rows, [{ name: "only-here" }]);
  assert.deepEqual((await other.database.query(queues)).rows, []);
});

it("serves several processes at once", async () => {
  const source = JSON.stringify(new URL("./test-database.ts", import.meta.url).href);
  const script = `import { testDatabase } from ${source};
    await using db = await testDatabase({ queues: [{ name: "queue-${process.pid}" }] });
    const { rows } = await db.database.query("select current_database()::text as name, count(*)::int as n from pgboss.queue");
    console.log(JSON.stringify(rows[0]));`;
  const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  const rows = (await Promise.all([run(), run(), run()])).map(({ stdout }) => JSON.parse(stdout));
  assert.equal(new Set(rows.map(({ name }) => name)).size, 3);
  assert.deepEqual(
    rows.map(({ n }) => n),
    [1, 1, 1],
  );
});
