import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { RateBuckets } from "../../transport/rate-buckets.ts";
import { Database } from "./database.ts";
import { rateStore } from "./rate-store.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

describe("rate buckets in the database", () => {
  let db: TestDatabase;
  let superuser: pg.Client;
  let replicas: Database[];
  before(async () => {
    db = await testDatabase();
    superuser = new pg.Client(db.superuser);
    await superuser.connect();
    replicas = [1, 2].map(() => new Database(db.runtime, { poolSize: 4 }));
  });
  after(async () => {
    for (const replica of replicas) await replica.close();
    await superuser.end();
    await db[Symbol.asyncDispose]();
  });

  const store = () => rateStore(replicas[0] as Database);
  const sql = async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await superuser.query<R>(text, values)).rows;

  it("begin full, fill up in a minute and never hold more, and owe no more than they hold", async () => {
    const key = randomBytes(16);
    const spend = (...args: [Buffer, number, number]) => store().spend(...args);
    const near = async (expected: number, spent: number) => {
      const left = await spend(key, spent, 60_000);
      assert.ok(left >= expected && left < expected + 60_000, `${left} for ${expected}`);
      return left;
    };
    const earlier = (interval: string) =>
      sql("update rate_bucket set counted_at = counted_at - $2::interval where key = $1", [key, interval]);
    assert.equal(await spend(key, 10_000, 60_000), 50_000);
    await near(0, 50_000);
    assert.equal(await spend(key, 1_000_000, 60_000), -60_000);
    await earlier("1 minute");
    const half = await spend(key, 0, 60_000);
    assert.ok(half >= 0 && half < 60_000, String(half));
    await earlier("1 hour");
    assert.equal(await spend(key, 0, 60_000), 60_000);
    // a clock that steps back takes nothing and fills nothing
    await earlier("-1 hour");
    assert.equal(await spend(key, 1, 60_000), 59_999);
  });

  it("lose no call that two replicas count at once", async () => {
    const key = randomBytes(16);
    await sql("insert into rate_bucket values ($1, 1000000, 'infinity')", [key]);
    const spends = Array.from({ length: 100 }, (_, n) =>
      rateStore(replicas[n % 2] as Database).spend(key, 7, 1_000_000),
    );
    await Promise.all(spends);
    assert.equal(await store().spend(key, 0, 1_000_000), 1_000_000 - 700);
  });

  it("hold the processes of a hub to one limit", async () => {
    const secret = randomBytes(32);
    const all = replicas.map(
      (database) => new RateBuckets({ perMinute: 100, kind: "t", secret, store: rateStore(database) }),
    );
    const grants = await Promise.all(
      all.map(async (buckets) => {
        let count = 0;
        for (let n = 0; n < 200; n++) {
          if ((await buckets.take("ada")) === 0) count++;
        }
        return count;
      }),
    );
    const sum = grants.reduce((total, n) => total + n, 0);
    // a twentieth each before they tell; what flows in meanwhile is less than another tenth, or the run took six seconds
    assert.ok(sum >= 100 && sum <= 120, String(grants));
  });

  it("that are full again are forgotten, others are not", async () => {
    const [old, young] = [randomBytes(16), randomBytes(16)];
    for (const key of [old, young]) await store().spend(key, 1, 10);
    await sql("update rate_bucket set counted_at = now() - interval '6 minutes' where key = $1", [old]);
    let now = 0;
    const own = rateStore(replicas[0] as Database, () => now);
    await own.spend(young, 1, 10);
    assert.deepEqual(await sql("select key from rate_bucket where key = any ($1)", [[old, young]]), [{ key: young }]);
    await sql("update rate_bucket set counted_at = now() - interval '6 minutes' where key = $1", [young]);
    await own.spend(old, 1, 10);
    assert.equal((await sql("select from rate_bucket where key = $1", [young])).length, 1);
    now += 3_600_000;
    await own.spend(old, 1, 10);
    assert.equal((await sql("select from rate_bucket where key = $1", [young])).length, 0);
  });

  it("are reached by their functions alone", async () => {
    const runtime = new pg.Client(db.runtime);
    await runtime.connect();
    for (const text of ["select from rate_bucket", "delete from rate_bucket", "update rate_bucket set level = 1"])
      await assert.rejects(runtime.query(text), { code: "42501" });
    await assert.rejects(runtime.query("select hub_spend_rate('\\x00', 1, 1)"), { code: "23514" });
    await runtime.end();
  });
});
