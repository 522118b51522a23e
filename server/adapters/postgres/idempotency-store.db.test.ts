import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import type { IdempotencyRow, IdempotencyScope, IdempotencyWriter } from "../../action/idempotency.ts";
import { accountWriter } from "./account-store.ts";
import { idempotencyStore } from "./idempotency-store.ts";
import { overlap } from "./overlap.fixture.ts";
import { sweepStore } from "./sweep-store.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
});
after(() => db[Symbol.asyncDispose]());

const HOUR_MS = 3_600_000;

async function newKeys() {
  const [accountId, one, two] = [v7(), v7(), v7()];
  await db.database.transact(accountId, async (session) => {
    const account = {
      id: accountId,
      name: "Laboratory",
      profile: "team",
      isHub: false,
      createdAt: new Date(),
    } as const;
    await accountWriter(session).addAccount(account);
    for (const id of [one, two])
      await session.query(
        "insert into principal (account_id, id, kind, name, roles) values ($1, $2, 'service', $3, '{agent}')",
        [accountId, id, id],
      );
  });
  const change = <T>(fn: (keys: IdempotencyWriter) => Promise<T>) =>
    db.database.transact(accountId, (session) => fn(idempotencyStore(session)));
  const scope: IdempotencyScope = { principalId: one, action: "system_fleet_put_object", key: "k" };
  return { accountId, change, scope, other: two };
}

const newCall = (more: { expiresAt?: Date } = {}) => ({
  callId: v7(),
  epoch: 1,
  inputMac: randomBytes(32),
  expiresAt: new Date(Date.now() + HOUR_MS),
  ...more,
});
const held = ({ callId, inputMac }: ReturnType<typeof newCall>, more: Partial<IdempotencyRow> = {}) => ({
  callId,
  inputMac,
  state: "running",
  ...more,
});

test("a key is taken once; who comes later is told who has it, and then what came of it", async () => {
  const { change, scope } = await newKeys();
  const [first, second] = [newCall(), newCall()];
  assert.equal(await change((keys) => keys.claim(scope, first)), undefined);
  assert.deepEqual(await change((keys) => keys.claim(scope, second)), held(first));
  await change((keys) => keys.settle(scope, first.callId, "done", "sealed"));
  const done = held(first, { state: "done", outcome: "sealed" });
  assert.deepEqual(await change((keys) => keys.claim(scope, second)), done);
});

test("a failure is kept too", async () => {
  const { change, scope } = await newKeys();
  const first = newCall();
  await change((keys) => keys.claim(scope, first));
  await change((keys) => keys.settle(scope, first.callId, "failed", "why"));
  const failed = held(first, { state: "failed", outcome: "why" });
  assert.deepEqual(await change((keys) => keys.claim(scope, newCall())), failed);
});

test("two take a key at once: one gets it, and the other is told", async () => {
  const { change, scope } = await newKeys();
  const calls = [newCall(), newCall()];
  const answers: (IdempotencyRow | undefined)[] = [];
  const claim = (i: 0 | 1) => async (keys: IdempotencyWriter) => {
    answers[i] = await keys.claim(scope, calls[i] ?? newCall());
  };
  assert.deepEqual(await overlap(db.database, change, claim(0), claim(1)), { won: 2, lost: [] });
  assert.deepEqual(answers, [undefined, held(calls[0] ?? newCall())]);

  const crowd = { ...scope, key: "crowd" };
  const all = await Promise.all(Array.from({ length: 20 }, () => change((keys) => keys.claim(crowd, newCall()))));
  assert.equal(all.filter((answer) => answer === undefined).length, 1);
});

test("a key that was not kept, since its transaction failed, is free for who waited for it", async () => {
  const { change, scope } = await newKeys();
  const answers: (IdempotencyRow | undefined)[] = [];
  const fails = (fn: (keys: IdempotencyWriter) => Promise<unknown>) =>
    change(async (keys) => {
      await fn(keys);
      if (answers.length === 0) throw new RangeError("the first one's effect failed");
    });
  const first = async (keys: IdempotencyWriter) => void (await keys.claim(scope, newCall()));
  const second = async (keys: IdempotencyWriter) => void answers.push(await keys.claim(scope, newCall()));
  const { won } = await overlap(db.database, fails, first, second);
  assert.deepEqual([won, answers], [1, [undefined]]);
});

test("a key that is given back is free; only who has it gives it back, and only while it runs", async () => {
  const { change, scope } = await newKeys();
  const [first, second] = [newCall(), newCall()];
  await change((keys) => keys.claim(scope, first));
  await change((keys) => keys.release(scope, second.callId));
  assert.deepEqual(
    await change((keys) => keys.claim(scope, second)),
    held(first),
    "another's release counts for nothing",
  );
  await change((keys) => keys.release(scope, first.callId));
  assert.equal(await change((keys) => keys.claim(scope, second)), undefined);
  assert.equal(await change((keys) => keys.settle(scope, first.callId, "done", "stale")), false);
  assert.deepEqual(await change((keys) => keys.claim(scope, newCall())), held(second), "another's outcome neither");
  assert.equal(await change((keys) => keys.settle(scope, second.callId, "done", "sealed")), true);
  assert.equal(await change((keys) => keys.settle(scope, second.callId, "failed", "again")), false, "it is settled");
  await change((keys) => keys.release(scope, second.callId));
  assert.equal((await change((keys) => keys.claim(scope, newCall())))?.state, "done");
});

test("an outcome past its expiry is replaced; a call that still runs is not, however late", async () => {
  const { change, scope } = await newKeys();
  const [first, second] = [newCall({ expiresAt: new Date(Date.now() - 1) }), newCall()];
  await change((keys) => keys.claim(scope, first));
  assert.deepEqual(await change((keys) => keys.claim(scope, second)), held(first), "it runs");
  await change((keys) => keys.settle(scope, first.callId, "done", "sealed"));
  assert.equal(await change((keys) => keys.claim(scope, second)), undefined);
  assert.deepEqual(await change((keys) => keys.claim(scope, newCall())), held(second));
});

test("whoever only looks takes nothing, and finds nothing that has expired", async () => {
  const { change, scope } = await newKeys();
  const [first, second] = [newCall({ expiresAt: new Date(Date.now() - 1) }), newCall()];
  assert.equal(await change((keys) => keys.find(scope)), undefined);
  await change((keys) => keys.claim(scope, first));
  assert.deepEqual(await change((keys) => keys.find(scope)), held(first), "it runs, however late");
  await change((keys) => keys.settle(scope, first.callId, "done", "sealed"));
  assert.equal(await change((keys) => keys.find(scope)), undefined);
  await change((keys) => keys.claim(scope, second));
  await change((keys) => keys.settle(scope, second.callId, "done", "sealed"));
  const done = held(second, { state: "done", outcome: "sealed" });
  assert.deepEqual(await change((keys) => keys.find(scope)), done);
});

test("principals, actions and keys do not meet", async () => {
  const { change, scope, other } = await newKeys();
  await change((keys) => keys.claim(scope, newCall()));
  for (const apart of [{ principalId: other }, { action: "system_fleet_delete_object" }, { key: "K" }])
    assert.equal(await change((keys) => keys.claim({ ...scope, ...apart }, newCall())), undefined);
  const elsewhere = await newKeys();
  const claim = () => elsewhere.change((keys) => keys.claim({ ...elsewhere.scope, key: scope.key }, newCall()));
  assert.equal(await claim(), undefined);
});

test("the sweeper deletes what has expired, of all accounts, and nothing that runs or is still kept", async () => {
  const accounts = [await newKeys(), await newKeys()];
  const past = { expiresAt: new Date(Date.now() - 1) };
  const keep = async (name: string, more: { expiresAt?: Date }, settled: boolean) => {
    for (const { change, scope } of accounts) {
      const [key, call] = [{ ...scope, key: name }, newCall(more)];
      await change((keys) => keys.claim(key, call));
      if (settled) await change((keys) => keys.settle(key, call.callId, "done", "sealed"));
    }
  };
  await keep("expired", past, true);
  await keep("kept", {}, true);
  await keep("running", past, false);
  await sweepStore(db.database).forgetOutcomes(new Date());
  const client = new pg.Client(db.superuser);
  await client.connect();
  const { rows } = await client.query(
    "select distinct key from idempotency where key in ('expired', 'kept', 'running') order by key",
  );
  await client.end();
  assert.deepEqual(rows, [{ key: "kept" }, { key: "running" }]);
});

test("no outcome is kept under a version of the key that is below the account's floor", async () => {
  const { accountId, scope } = await newKeys();
  const keep = (version: number) =>
    db.database.transact(accountId, (session) =>
      session.query(
        `insert into idempotency (account_id, principal_id, action, key, call_id, epoch_no, input_mac, state, outcome, expires_at)
         values ($1, $2, 'system_fleet_put_object', $3, $4, 1, '', 'done', $5, now())`,
        [accountId, scope.principalId, v7(), v7(), `vault:v${version}:AAAA`],
      ),
    );
  await keep(1);
  await db.database.transact(accountId, (session) =>
    session.query("update account set transit_key_floor = 2 where id = $1", [accountId]),
  );
  await assert.rejects(keep(1), { code: "CONFLICT" });
  await keep(2);
});
