import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import { HubError } from "../errors.ts";
import { callOf, ended, type JournalFixture, journalFixture, until } from "./journal-fixture.ts";
import type { JournalStore } from "./journal-store.ts";

/** A network that loses the answers to commits: before they reach the database, or after it made them durable. */
function unreliable(store: JournalStore) {
  const fault = { next: undefined as "before" | "after" | undefined, connections: true };
  const unreliableStore: JournalStore = {
    ...store,
    async connect() {
      if (!fault.connections) throw new HubError("STORE_UNAVAILABLE", "gone");
      const session = await store.connect();
      const append = session.append.bind(session);
      session.append = async (commit) => {
        const lost = fault.next;
        fault.next = undefined;
        if (lost === undefined) return append(commit);
        if (lost === "after") await append(commit);
        throw new HubError("STORE_UNAVAILABLE", "no answer");
      };
      return session;
    },
  };
  return { fault, store: unreliableStore };
}

async function receiptsOf({ superuser }: JournalFixture): Promise<number> {
  const { rows } = await superuser.query("select count(*)::int as n from receipt");
  return rows[0].n;
}

for (const when of ["before", "after"] as const) {
  test(`an answer lost ${when} the commit ends the epoch: callers are refused, the next call opens another`, async () => {
    await using fixture = await journalFixture();
    const account = await fixture.addAccount();
    const { fault, store } = unreliable(fixture.store());
    const journal = await fixture.open({ store });
    await journal.intent(callOf(account));
    const first = journal.status().epoch;
    fault.next = when;
    const inDoubt = callOf(account);
    await assert.rejects(journal.intent(inDoubt), { code: "JOURNAL_UNAVAILABLE" });

    await fixture.change(journal, callOf(account));
    assert.notEqual(journal.status().epoch, first);
    await until(() => journal.status().waiting === 0);
    // the call was refused, and that is on record whether its intent is there or not
    const intent = when === "after" ? { intent: "PENDING" } : {};
    assert.deepEqual(await fixture.codes(inDoubt), { ...intent, outcome: "JOURNAL_UNAVAILABLE" });
    assert.equal((await fixture.verify(account)).ok, true);
  });

  test(`entries that nobody waits for survive an answer lost ${when} the commit, once each`, async () => {
    await using fixture = await journalFixture();
    const account = await fixture.addAccount();
    const { fault, store } = unreliable(fixture.store());
    const journal = await fixture.open({ store });
    await journal.intent(callOf(account));
    fault.next = when;
    const records = Array.from({ length: 5 }, () => callOf(account));
    for (const record of records) journal.note(record, ended("FORBIDDEN"));
    await until(() => journal.status().waiting === 0);
    for (const record of records) assert.deepEqual(await fixture.codes(record), { outcome: "FORBIDDEN" });
    assert.equal(await receiptsOf(fixture), 6);
    assert.equal((await fixture.verify(account)).ok, true);
  });

  test(`a committed effect's outcome is sequenced once, although an answer is lost ${when} the commit`, async () => {
    await using fixture = await journalFixture();
    const account = await fixture.addAccount();
    const { fault, store } = unreliable(fixture.store());
    const journal = await fixture.open({ store });
    const record = callOf(account);
    await journal.intent(record);
    const staged = await journal.stage(record, ended());
    await fixture.database.transact(account, async (session) => outcomeStore(session).stage(staged));
    fault.next = when;
    await journal.sequence(staged);
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
    assert.equal(await receiptsOf(fixture), 2);
    assert.equal((await fixture.verify(account)).ok, true);
  });
}

test("an approved request that a doubtful intent may have spent is not left executing", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const { fault, store } = unreliable(fixture.store());
  const journal = await fixture.open({ store });
  await journal.intent(callOf(account));
  const states = async () => {
    const { rows } = await fixture.superuser.query(
      "select state, error_code as code from approval_request order by id",
    );
    return rows;
  };
  for (const when of ["before", "after"] as const) {
    fault.next = when;
    const spend = { kind: "approval", id: await fixture.approvedRequest(account) } as const;
    await assert.rejects(journal.intent(callOf(account), spend), { code: "JOURNAL_UNAVAILABLE" });
    await until(() => journal.status().waiting === 0);
  }
  assert.deepEqual(await states(), [
    { state: "approved", code: null },
    { state: "failed", code: "JOURNAL_UNAVAILABLE" },
  ]);
  const { rows } = await fixture.superuser.query("select type from event");
  assert.deepEqual(rows, [{ type: "approval.failed" }]);
});

test("a hub that nobody calls opens its journal again by itself", async () => {
  await using fixture = await journalFixture();
  const { fault, store } = unreliable(fixture.store());
  const journal = await fixture.open({ store });
  const first = journal.status().epoch;
  await fixture.cutSessions();
  await until(() => journal.status().open && journal.status().epoch !== first);
  const second = journal.status().epoch;
  fault.connections = false;
  await fixture.cutSessions();
  await until(() => !journal.status().open);
  await assert.rejects(fixture.sweep(journal), { code: "JOURNAL_UNAVAILABLE" });
  fault.connections = true;
  await fixture.sweep(journal);
  assert.ok(journal.status().open && journal.status().epoch !== second);
});

test("an awaited outcome that could not be written is written later all the same", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const { fault, store } = unreliable(fixture.store());
  const journal = await fixture.open({ store });
  const record = callOf(account);
  await journal.intent(record);
  fault.next = "before";
  await assert.rejects(journal.outcome(record, ended("TIMEOUT")), { code: "JOURNAL_UNAVAILABLE" });
  await until(() => journal.status().waiting === 0);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "TIMEOUT" });
});

test("without a database calls are refused at once, what was noted waits, and both go on when it is back", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const { fault, store } = unreliable(fixture.store());
  const journal = await fixture.open({ store });
  fault.connections = false;
  assert.equal(await fixture.cutSessions(), 1);
  await until(() => !journal.status().open);
  await assert.rejects(journal.intent(callOf(account)), { code: "JOURNAL_UNAVAILABLE" });
  const record = callOf(account);
  journal.note(record, ended());
  await assert.rejects(journal.epoch(), { code: "JOURNAL_UNAVAILABLE" });

  fault.connections = true;
  await journal.intent(callOf(account));
  await until(() => journal.status().waiting === 0);
  assert.deepEqual(await fixture.codes(record), { outcome: "OK" });
});

test("calls under way keep their epoch when the session breaks and is made anew", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(account);
  await journal.intent(record);
  const staged = await journal.stage(record, ended());
  await fixture.cutSessions();
  await until(() => journal.status().open && journal.status().epoch !== staged.epoch);

  const other = await fixture.open();
  await fixture.sweep(other);
  await fixture.database.transact(account, async (session) => outcomeStore(session).stage(staged));
  await journal.sequence(staged);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
});

test("another process closes the lanes: entries are refused with LANE_LOST, and the next call opens new ones", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  await journal.intent(callOf(account));
  await fixture.superuser.query("select hub_fence_epoch($1)", [journal.status().epoch]);
  await assert.rejects(journal.intent(callOf(account)), { code: "LANE_LOST" });
  await fixture.change(journal, callOf(account));
  assert.equal((await fixture.verify(account)).ok, true);
});

test("an abandoned call whose effect did commit gets the effect's outcome", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(account);
  await journal.intent(record);
  let commit = () => {};
  const staged = await journal.stage(record, ended());
  const effect = fixture.database.transact(account, async (session) => {
    outcomeStore(session).stage(staged);
    await new Promise<void>((resolve) => {
      commit = resolve;
    });
  });
  await until(async () => (await fixture.superuser.query("select from pg_locks where classid = 7312")).rowCount === 1);
  journal.abandon(record, ended("STORE_UNAVAILABLE"));
  await until(async () => (await fixture.superuser.query("select from pg_locks where not granted")).rowCount === 1);
  commit();
  await effect;
  await until(() => journal.status().waiting === 0);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
});

test("an abandoned call whose effect did not commit gets the outcome given, and its effect cannot commit any more", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(account);
  await journal.intent(record);
  const late = await journal.stage(record, ended());
  journal.abandon(record, ended("STORE_UNAVAILABLE"));
  await until(() => journal.status().waiting === 0);
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "STORE_UNAVAILABLE" });
  await assert.rejects(
    fixture.database.transact(account, async (session) => outcomeStore(session).stage(late)),
    { code: "LANE_LOST" },
  );
  await journal.close();
  const { rows } = await fixture.superuser.query("select closed_at is not null as closed from journal_epoch");
  assert.deepEqual(rows, [{ closed: true }]);
});

test("an outcome whose effect did not commit is not sequenced, whatever is asked", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(account);
  await journal.intent(record);
  await journal.sequence(await journal.stage(record, ended()));
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING" });
});
