import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import { HubError } from "../../errors.ts";
import { Database, type Session } from "./database.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

const ADD = "insert into person (account_id, id, name) values ($1, $2, $3)";
const NAMES = "select name from person order by name";

describe("Database", () => {
  let db: TestDatabase;
  const [ours, theirs] = [v7(), v7()];
  before(async () => {
    db = await testDatabase();
    for (const id of [ours, theirs]) await addAccount(id);
  });
  after(() => db[Symbol.asyncDispose]());

  const addAccount = (id: string) =>
    db.database.transact(id, (tx) =>
      tx.query("insert into account (id, name, profile) values ($1, 'x', 'solo')", [id]),
    );
  const addPerson = (tx: Session, name: string, account = ours) => tx.query(ADD, [account, v7(), name]);
  const names = async (account: string, database = db.database) =>
    (await database.read(account, (session) => session.query<{ name: string }>(NAMES))).rows.map((row) => row.name);

  it("commits what resolves, under its account alone", async () => {
    const result = await db.database.transact(ours, (tx) => addPerson(tx, "Ada"));
    assert.equal(result.rowCount, 1);
    assert.deepEqual(await names(ours), ["Ada"]);
    assert.deepEqual(await names(theirs), []);
    assert.deepEqual((await db.database.query(NAMES)).rows, []);
  });

  it("rolls back what throws, and passes the reason on", async () => {
    const account = v7();
    await addAccount(account);
    const reason = new Error("no");
    const failing = db.database.transact(account, async (tx) => {
      await addPerson(tx, "Bob", account);
      throw reason;
    });
    await assert.rejects(failing, reason);
    assert.deepEqual(await names(account), []);
  });

  it("does not write while reading", async () => {
    await assert.rejects(
      db.database.read(ours, (session) => addPerson(session, "Eve")),
      { code: "25006" },
    );
  });

  it("carries no account from one transaction to the next on the same connection", async () => {
    const single = new Database(db.runtime, { poolSize: 1 });
    assert.deepEqual(await names(ours, single), ["Ada"]);
    assert.deepEqual((await single.query(NAMES)).rows, []);
    assert.deepEqual(await names(theirs, single), []);
    await single.close();
  });

  it("refuses an account id that is none, before anything is sent", async () => {
    const hostile = "0'; reset role; --";
    await assert.rejects(
      db.database.read(hostile, async () => {}),
      TypeError,
    );
    await assert.rejects(
      db.database.transact(ours.toUpperCase(), async () => {}),
      TypeError,
    );
  });

  it("does not take a rollback for a commit where a failed statement was swallowed", async () => {
    const swallowing = db.database.transact(ours, async (tx) => {
      await addPerson(tx, "Mallory");
      await tx.query("select 1 / 0").catch(() => {});
    });
    await assert.rejects(swallowing, { code: "INTERNAL" });
    assert.deepEqual(await names(ours), ["Ada"]);
  });

  describe("the last statement, which nobody waits for", () => {
    const insert = "insert into person (account_id, id, name) values ($1, gen_random_uuid(), $2)";
    const explained = (error: unknown) => new HubError("LANE_LOST", "explained", { cause: error });

    it("commits with the others", async () => {
      await db.database.transact(ours, async (tx) => {
        await addPerson(tx, "Zoe");
        tx.last({ text: insert }, [ours, "Last"], explained);
      });
      assert.deepEqual((await names(ours)).filter((name) => ["Zoe", "Last"].includes(name)).sort(), ["Last", "Zoe"]);
    });

    it("takes them along where it fails, and its explanation is thrown", async () => {
      const failing = db.database.transact(ours, async (tx) => {
        await addPerson(tx, "Mallory");
        tx.last({ text: insert }, [ours, null], explained);
      });
      await assert.rejects(failing, (error: HubError) => {
        assert.equal(error.code, "LANE_LOST");
        assert.equal((error.cause as pg.DatabaseError).code, "23502");
        return true;
      });
      assert.ok(!(await names(ours)).includes("Mallory"));
      // the connection is as good as before
      await db.database.transact(ours, (tx) => tx.query("select 1"));
    });

    it("leaves it unknown whether it happened where the connection is lost on the way", async () => {
      const single = new Database(db.runtime, { poolSize: 1 });
      const lost = single.transact(ours, async (tx) => {
        await addPerson(tx, "Mallory");
        tx.last({ text: "select pg_terminate_backend(pg_backend_pid()), $1::int" }, [1], explained);
      });
      await assert.rejects(lost, { code: "AMBIGUOUS" });
      assert.ok(!(await names(ours)).includes("Mallory"));
      await single.close();
    });

    it("is not sent where the call was cancelled before", async () => {
      const controller = new AbortController();
      const stopped = db.database.transact(
        ours,
        async (tx) => {
          await addPerson(tx, "Mallory");
          controller.abort();
          tx.last({ text: insert }, [ours, "Last of all"], explained);
        },
        controller.signal,
      );
      await assert.rejects(stopped, { code: "CANCELLED" });
      assert.ok(!(await names(ours)).some((name) => ["Mallory", "Last of all"].includes(name)));
    });
  });

  it("takes named statements, with their values inside or apart", async () => {
    const statement = { name: "add-up", text: "select $1::int + $2::int as sum" };
    const sums = await db.database.read(ours, async (session) => [
      await session.query(statement, [1, 2]),
      await session.query({ ...statement, values: [3, 4] }),
    ]);
    assert.deepEqual(
      sums.flatMap(({ rows }) => rows),
      [{ sum: 3 }, { sum: 7 }],
    );
  });

  it("leaves violated constraints as they are", async () => {
    const twice = addAccount(ours);
    await assert.rejects(twice, (error) => error instanceof pg.DatabaseError && error.constraint === "account_pkey");
  });

  it("refuses statements after their transaction", async () => {
    let kept: Session | undefined;
    await db.database.read(ours, async (session) => {
      kept = session;
    });
    await assert.rejects(async () => kept?.query("select 1"), /after its transaction/);
  });

  it("says that deadlocked transactions are in each other's way, and commits one", async () => {
    const holding = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const cross = (mine: 0 | 1) =>
      db.database.transact(ours, async (tx) => {
        await tx.query("select pg_advisory_xact_lock($1)", [mine]);
        holding[mine].resolve();
        await holding[mine === 0 ? 1 : 0].promise;
        await tx.query("select pg_advisory_xact_lock($1)", [1 - mine]);
      });
    const outcomes = await Promise.allSettled([cross(0), cross(1)]);
    const [refused, ...more] = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(refused?.reason.code, "CONFLICT");
    assert.deepEqual(more, []);
  });

  describe("when cancelled", () => {
    it("stops the statement at work and rolls back", async () => {
      const account = v7();
      await addAccount(account);
      const controller = new AbortController();
      const waiting = db.database.transact(
        account,
        async (tx) => {
          await addPerson(tx, "Bob", account);
          const sleeping = tx.query("select pg_sleep(600)");
          controller.abort();
          await sleeping;
        },
        controller.signal,
      );
      await assert.rejects(waiting, { code: "CANCELLED" });
      assert.deepEqual(await names(account), []);
    });

    it("starts nothing any more", async () => {
      const never = () => assert.fail("it started");
      await assert.rejects(db.database.read(ours, never, AbortSignal.abort()), { code: "CANCELLED" });
    });

    it("refuses the next statement and the commit", async () => {
      for (const last of ["select 1", undefined]) {
        const controller = new AbortController();
        const stopped = db.database.transact(
          ours,
          async (tx) => {
            await addPerson(tx, "Bob");
            controller.abort();
            if (last) await tx.query(last);
          },
          controller.signal,
        );
        await assert.rejects(stopped, { code: "CANCELLED" });
      }
      assert.ok(!(await names(ours)).includes("Bob"));
    });

    it("does not touch who comes next on the connection", async () => {
      const single = new Database(db.runtime, { poolSize: 1 });
      const controller = new AbortController();
      const sleeping = async (session: Session) => {
        const slept = session.query("select pg_sleep(600)");
        controller.abort();
        await slept;
      };
      const first = single.read(ours, sleeping, controller.signal);
      const second = single.read(ours, (session) => session.query("select pg_sleep(0.05)"));
      await assert.rejects(first, { code: "CANCELLED" });
      assert.equal((await second).rowCount, 1);
      await single.close();
    });
  });

  describe("when the database does not answer", () => {
    const terminate = async (config: pg.PoolConfig, pid: number) => {
      const client = new pg.Client(config);
      await client.connect();
      await client.query("select pg_terminate_backend($1, 10000)", [pid]);
      await client.end();
    };
    const pidOf = async (session: Session) =>
      (await session.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid as number;

    it("says so where the connection is lost, and recovers", async () => {
      const single = new Database(db.runtime, { poolSize: 1 });
      const cut = single.transact(ours, async (tx) => {
        await terminate(db.superuser, await pidOf(tx));
        await addPerson(tx, "Bob");
      });
      await assert.rejects(cut, { code: "STORE_UNAVAILABLE" });
      assert.ok(!(await names(ours, single)).includes("Bob"));
      await single.close();
    });

    it("says that nobody knows where it is lost while committing", async () => {
      const cut = db.database.transact(ours, async (tx) => {
        await addPerson(tx, "Bob");
        await terminate(db.superuser, await pidOf(tx));
      });
      await assert.rejects(cut, { code: "AMBIGUOUS" });
    });

    it("keeps what was read before the connection was lost, and uses the connection no more", async () => {
      await db.database.read(ours, async (session) => terminate(db.superuser, await pidOf(session)));
      await db.database.read(ours, (session) => session.query("select 1"));
    });

    it("says so where there is none, or no connection is free", async () => {
      const nowhere = new Database({ ...db.runtime, host: "/nonexistent" });
      await assert.rejects(nowhere.query("select 1"), { code: "STORE_UNAVAILABLE" });
      await assert.rejects(
        nowhere.read(ours, async () => {}),
        { code: "STORE_UNAVAILABLE" },
      );
      const single = new Database(db.runtime, { poolSize: 1, connectTimeoutMs: 50 });
      await single.read(ours, async () => {
        await assert.rejects(single.query("select 1"), { code: "STORE_UNAVAILABLE" });
      });
      await single.close();
    });

    it("gives up a server that says nothing, and uses the connection no more", async () => {
      const single = new Database(db.runtime, { poolSize: 1, answerTimeoutMs: 100 });
      const backend = await pidOf(single);
      process.kill(backend, "SIGSTOP");
      try {
        const mute = single.transact(ours, (tx) => addPerson(tx, "Mute"));
        await assert.rejects(mute, { code: "STORE_UNAVAILABLE" });
        assert.ok(!(await names(ours, single)).includes("Mute"));
      } finally {
        process.kill(backend, "SIGCONT");
      }
      await single.close();
    });

    it("stops a statement that takes too long", async () => {
      const hasty = new Database(db.runtime, { statementTimeoutMs: 20 });
      await assert.rejects(hasty.query("select pg_sleep(600)"), { code: "TIMEOUT" });
      await hasty.close();
    });

    it("refuses what comes after close", async () => {
      const closed = new Database(db.runtime);
      await Promise.all([closed.close(), closed.close()]);
      await assert.rejects(closed.query("select 1"), { code: "STORE_UNAVAILABLE" });
    });
  });
});
