import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import type { CrashPoint } from "../config/crash-point.ts";
import type { CallRecord } from "../domain/evidence/call-record.ts";
import { HubError } from "../errors.ts";
import { callOf, type JournalFixture, journalFixture } from "./journal-fixture.ts";
import type { Answer, Order, ProcessSetup } from "./journal-process.fixture.ts";

const PROGRAM = fileURLToPath(new URL("journal-process.fixture.ts", import.meta.url));

/** A process with a journal of its own, killed at the end whatever happens. */
async function startProcess(fixture: JournalFixture, crashAt?: CrashPoint): Promise<TestProcess> {
  const env = crashAt && { COUNTERSIGN_TEST_MODE: "1", COUNTERSIGN_TEST_CRASH_AT: crashAt };
  const child = fork(PROGRAM, { env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const setup = { login: fixture.db.runtime, hubId: fixture.hubId, rootKey: fixture.rootKey.toString("base64") };
  child.send(setup satisfies ProcessSetup);
  await once(child, "message");
  return new TestProcess(child);
}

class TestProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  constructor(child: ChildProcess) {
    this.child = child;
  }

  async order(order: Order): Promise<Answer> {
    this.child.send(order);
    const [answer] = await once(this.child, "message");
    return answer as Answer;
  }

  /** For an order that the process does not survive. */
  async fatalOrder(order: Order): Promise<void> {
    this.child.send(order);
    const [, signal] = await once(this.child, "exit");
    assert.equal(signal, "SIGKILL");
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** An account with a principal that idempotency keys can belong to. */
async function accountWithCaller(fixture: JournalFixture) {
  const accountId = await fixture.addAccount();
  const { principal } = callOf(accountId);
  await fixture.superuser.query("set session_replication_role = replica"); // whose agent it is does not matter here
  await fixture.superuser.query(
    "insert into principal (account_id, id, kind, name, owner_person_id, roles) values ($1, $2, 'agent', 'bot', $2, '{}')",
    [accountId, principal?.id],
  );
  await fixture.superuser.query("set session_replication_role = origin");
  return accountId;
}

/** What the database says of a call, beside its receipts. */
async function traces({ superuser }: JournalFixture, { callId }: CallRecord) {
  const one = async (text: string) => (await superuser.query(text, [callId])).rows[0];
  return {
    effect: (await one("select from person where name = $1")) !== undefined,
    key: (await one("select state from idempotency where call_id = $1"))?.state,
    approval: (await one("select state from approval_request where execution_call_id = $1"))?.state,
    event: (await one("select data from event where id = $1 and type = 'journal.intent_abandoned'"))?.data,
  };
}

for (const point of ["after-intent", "during-execution"] as const) {
  test(`killed ${point}: the call is closed as AMBIGUOUS, whoever waits is told, nothing took effect`, async () => {
    await using fixture = await journalFixture();
    const account = await accountWithCaller(fixture);
    await using hub = await startProcess(fixture, point);
    const record = callOf(account);
    const spend = { kind: "approval", id: await fixture.approvedRequest(account) } as const;
    await hub.fatalOrder({ what: "change", record, spend });
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING" });

    const journal = await fixture.open();
    await fixture.sweep(journal);
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "AMBIGUOUS" });
    assert.deepEqual(await traces(fixture, record), {
      effect: false,
      key: "ambiguous",
      approval: "ambiguous",
      event: { callId: record.callId, action: record.action },
    });
    await fixture.integrate();
    const verdict = await fixture.verify(account);
    assert.deepEqual([verdict.ok, verdict.lanes, verdict.receipts], [true, 2, 2]);
    const { rows } = await fixture.superuser.query("select position::int from event");
    assert.deepEqual(rows, [{ position: 0 }]);
  });
}

test("killed after the effect committed: its own outcome is sequenced", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  await using hub = await startProcess(fixture, "after-effect");
  const record = callOf(account);
  await hub.fatalOrder({ what: "change", record });
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING" });

  await fixture.sweep(await fixture.open());
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
  const { effect, event } = await traces(fixture, record);
  assert.deepEqual({ effect, event }, { effect: true, event: undefined });
  const verdict = await fixture.verify(account);
  assert.deepEqual([verdict.ok, verdict.receipts], [true, 2]);
});

test("not killed: the change has its outcome and the sweeper finds nothing to do", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  await using hub = await startProcess(fixture);
  const record = callOf(account);
  assert.deepEqual(await hub.order({ what: "change", record }), { done: true });
  const begun = callOf(account);
  assert.deepEqual(await hub.order({ what: "begin", record: begun }), { done: true });

  await fixture.sweep(await fixture.open());
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
  assert.deepEqual(await fixture.codes(begun), { intent: "PENDING" }, "its process lives");
  assert.deepEqual((await traces(fixture, begun)).key, "running");
});

test("killed before the intent: the idempotency key is free again", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  await using hub = await startProcess(fixture);
  const record = callOf(account);
  await hub.order({ what: "claim", record });
  await hub.kill();
  assert.equal((await traces(fixture, record)).key, "running");

  await fixture.sweep(await fixture.open());
  assert.equal((await traces(fixture, record)).key, undefined);
  assert.deepEqual(await fixture.codes(record), {});
});

test("any number of hubs clear up at once, and each call has one outcome", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  await using hub = await startProcess(fixture);
  const records = Array.from({ length: 12 }, () => callOf(account));
  for (const record of records) await hub.order({ what: "begin", record });
  await hub.kill();

  const sweepers = [await fixture.open(), await fixture.open(), await fixture.open()];
  await Promise.all(sweepers.map((journal) => fixture.sweep(journal)));
  await fixture.sweep(sweepers[0] as (typeof sweepers)[0]); // whatever one left to another
  for (const record of records) {
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "AMBIGUOUS" });
  }
  await fixture.integrate();
  assert.equal((await fixture.verify(account)).ok, true);
});

test("a process that was taken for dead and wakes can commit neither effect nor entry, and goes on with new lanes", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  await using hub = await startProcess(fixture);
  const record = callOf(account);
  await hub.order({ what: "begin", record });
  hub.child.kill("SIGSTOP");
  assert.equal(await fixture.cutSessions(), 1);
  const journal = await fixture.open();
  await fixture.sweep(journal);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "AMBIGUOUS" });

  hub.child.kill("SIGCONT");
  const answer = await hub.order({ what: "finish", record });
  assert.equal("code" in answer && answer.code, "LANE_LOST");
  assert.equal((await traces(fixture, record)).effect, false);

  const next = callOf(account);
  let attempt = await hub.order({ what: "change", record: next });
  // the first entry may be what tells the process that its session is gone
  if ("code" in attempt) attempt = await hub.order({ what: "change", record: callOf(account) });
  assert.deepEqual(attempt, { done: true });
  const verdict = await fixture.verify(account);
  assert.equal(verdict.ok, true);
});

test("a transaction that staged its outcome before the process was taken for dead decides: it commits and counts", async () => {
  await using fixture = await journalFixture();
  const account = await accountWithCaller(fixture);
  const store = fixture.store();
  let sessions = 0;
  const connect = () =>
    sessions++ === 0 ? store.connect() : Promise.reject(new HubError("STORE_UNAVAILABLE", "gone"));
  const lost = await fixture.open({ store: { ...store, connect } });
  const record = callOf(account);
  await lost.intent(record);
  const staged = await lost.stage(record, { code: "OK", at: new Date() });
  const other = await fixture.open();
  await fixture.database.transact(account, async (session) => {
    outcomeStore(session).stage(staged);
    await session.query("select"); // whose answer comes after
    await fixture.superuser.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 7311 and objid = $1",
      [staged.epoch],
    );
    await fixture.sweep(other);
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING" }, "it waits");
  });
  await fixture.sweep(other);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
  assert.equal((await fixture.verify(account)).ok, true);
});

test("in a closed epoch nothing is staged any more, also for a call that had no intent", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const stage = async (record: CallRecord) => {
    const staged = await journal.stage(record, { code: "APPROVAL_PENDING", at: new Date() });
    return fixture.database.transact(account, async (session) => outcomeStore(session).stage(staged));
  };
  await stage(callOf(account));
  await journal.close();
  await fixture.sweep(await fixture.open()); // the one that was staged kept the epoch open
  await assert.rejects(stage(callOf(account)), { code: "LANE_LOST" });
});
