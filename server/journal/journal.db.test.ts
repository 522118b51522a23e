import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import { HubError } from "../errors.ts";
import { callOf, ended, journalFixture, until } from "./journal-fixture.ts";

test("100 parallel appends to a lane follow one another without a gap", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  await Promise.all(Array.from({ length: 100 }, () => journal.intent(callOf(account))));
  const { rows } = await fixture.superuser.query("select sequence::int from receipt order by sequence");
  assert.deepEqual(
    rows.map(({ sequence }) => sequence),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.ok(journal.status().commits < 100, "appends share commits");
  assert.equal((await fixture.verify(account)).ok, true);
});

test("one commit holds the lanes of many accounts, under one note", async () => {
  await using fixture = await journalFixture();
  const accounts: string[] = [];
  while (accounts.length < 20) accounts.push(await fixture.addAccount());
  const journal = await fixture.open();
  await Promise.all(accounts.map((account) => journal.intent(callOf(account))));
  const before = journal.status().commits;
  await Promise.all(accounts.map((account) => journal.intent(callOf(account))));
  assert.equal(journal.status().commits, before + 1);
  const { rows } = await fixture.superuser.query("select distinct note from lane_commit where size = 2");
  assert.equal(rows.length, 1);
  for (const account of accounts) assert.equal((await fixture.verify(account)).ok, true);
  await fixture.integrate();
  for (const account of accounts) assert.equal((await fixture.list(account)).length, 2);
});

test("two writers on one database have epochs and lanes of their own", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journals = [await fixture.open(), await fixture.open()];
  await Promise.all(
    journals.flatMap((journal) => Array.from({ length: 25 }, () => fixture.change(journal, callOf(account)))),
  );
  const verdict = await fixture.verify(account);
  assert.deepEqual([verdict.ok, verdict.lanes, verdict.receipts], [true, 2, 100]);
  await fixture.integrate();
  assert.equal((await fixture.list(account)).length, 100);
});

test("a call has one outcome: of two, whoever writes them, one is refused and harms nobody else", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journals = [await fixture.open(), await fixture.open()] as const;
  const record = callOf(account);
  await journals[0].intent(record);
  const others = Array.from({ length: 9 }, () => callOf(account));
  const results = await Promise.allSettled([
    journals[0].outcome(record, ended("TIMEOUT")),
    journals[0].outcome(record, ended("CONFLICT")),
    journals[1].outcome(record, ended("CANCELLED")),
    ...others.map((other) => journals[0].intent(other)),
  ]);
  const refused = results.filter((result) => result.status === "rejected");
  assert.deepEqual(
    refused.map(({ reason }) => reason.code),
    ["CONFLICT", "CONFLICT"],
  );
  assert.ok(results.slice(3).every(({ status }) => status === "fulfilled"));
  assert.deepEqual((await fixture.verify(account)).ok, true);
});

test("an approved request is spent by one intent alone, also by two hubs at once", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journals = [await fixture.open(), await fixture.open()] as const;
  const spend = { kind: "approval", id: await fixture.approvedRequest(account) } as const;
  const calls = Array.from({ length: 8 }, () => callOf(account));
  const bystander = callOf(account);
  const results = await Promise.allSettled([
    ...calls.map((call, i) => (journals[i % 2] as (typeof journals)[0]).intent(call, spend)),
    journals[0].intent(bystander),
  ]);
  const won = calls.filter((_, i) => results[i]?.status === "fulfilled");
  assert.equal(won.length, 1);
  assert.equal(results.at(-1)?.status, "fulfilled");
  for (const result of results) if (result.status === "rejected") assert.equal(result.reason.code, "APPROVAL_SPENT");
  const { rows } = await fixture.superuser.query("select state, execution_call_id from approval_request");
  assert.deepEqual(rows, [{ state: "executing", execution_call_id: won[0]?.callId }]);
  const { rows: receipts } = await fixture.superuser.query("select count(*)::int from receipt");
  assert.equal(receipts[0].count, 2);
});

test("an expired, an unknown and another account's approval cannot be spent; one within its time can", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const intent = (id: string) => journal.intent(callOf(account), { kind: "approval", id });
  for (const id of [
    await fixture.approvedRequest(account, -1),
    v7(),
    await fixture.approvedRequest(await fixture.addAccount()),
    "no id at all",
  ]) {
    await assert.rejects(intent(id), { code: "APPROVAL_SPENT" });
  }
  await intent(await fixture.approvedRequest(account));
});

test("a confirmation's id is used once", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const spend = { kind: "confirmation", id: v7() } as const;
  const results = await Promise.allSettled([
    journal.intent(callOf(account), spend),
    journal.intent(callOf(account), spend),
  ]);
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  await assert.rejects(journal.intent(callOf(account), spend), { code: "APPROVAL_SPENT" });
  await journal.intent(callOf(await fixture.addAccount()), spend); // another account's is another's
});

test("entries that nobody waits for are written by themselves, as a group", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const records = Array.from({ length: 30 }, () => callOf(account));
  for (const record of records) journal.note(record, ended("FORBIDDEN"));
  await until(() => journal.status().waiting === 0);
  for (const record of records) assert.deepEqual(await fixture.codes(record), { outcome: "FORBIDDEN" });
  assert.ok(journal.status().commits <= 2, "grouped");
});

test("an awaited entry takes those along that gather", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  await journal.intent(callOf(account));
  const record = callOf(account);
  journal.note(record, ended());
  await journal.intent(callOf(account));
  assert.deepEqual(await fixture.codes(record), { outcome: "OK" });
  assert.equal(journal.status().commits, 2);
});

test("a full journal refuses, and takes entries again when there is room", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open({ maxWaiting: 4 });
  const fitting = Array.from({ length: 4 }, () => journal.intent(callOf(account)));
  await assert.rejects(journal.intent(callOf(account)), { code: "JOURNAL_FULL" });
  assert.throws(() => journal.note(callOf(account), ended()), { code: "JOURNAL_FULL" });
  await Promise.all(fitting);
  await journal.intent(callOf(account));
});

test("a journal is full of bytes, too", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open({ maxWaitingBytes: 100_000 });
  const long = (length: number) => callOf(account, { runId: "x".repeat(length) });
  await assert.rejects(journal.intent(long(100_000)), { code: "JOURNAL_FULL" });
  const fitting = journal.intent(long(60_000));
  await assert.rejects(journal.intent(long(60_000)), { code: "JOURNAL_FULL" });
  assert.throws(() => journal.note(long(60_000), ended("FORBIDDEN")), { code: "JOURNAL_FULL" });
  await fitting;
  // the room is there again, whatever became of what was in it
  const record = long(90_000);
  await journal.intent(record);
  await journal.outcome(record, ended("TIMEOUT"));
  journal.note(long(90_000), ended("FORBIDDEN"));
  await until(() => journal.status().waiting === 0);
  await fixture.change(journal, long(90_000));
  const abandoned = long(90_000);
  await journal.intent(abandoned);
  journal.abandon(abandoned, ended("STORE_UNAVAILABLE"));
  await until(() => journal.status().waiting === 0);
  await journal.intent(long(90_000));
});

test("text that has no place in signed JSON is refused before anything is written", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  for (const runId of ["a\ud800", "\u0000", "\\\u0000"]) {
    await assert.rejects(journal.intent(callOf(account, { runId })), { code: "CANONICAL_INVALID" });
  }
  await journal.intent(callOf(account, { runId: 'a\u{1f600} "lane":null \\"lane\\":null \\u0000' }));
  assert.deepEqual([journal.status().waiting, (await fixture.verify(account)).receipts], [0, 1]);
});

test("closing writes what waits, closes the epoch and takes no further entries", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const records = [callOf(account), callOf(account)] as const;
  journal.note(records[0], ended("FORBIDDEN"));
  const change = fixture.change(journal, records[1]);
  await change;
  await journal.close();
  assert.deepEqual(await fixture.codes(records[0]), { outcome: "FORBIDDEN" });
  const { rows } = await fixture.superuser.query("select closed_at is not null as closed from journal_epoch");
  assert.deepEqual(rows, [{ closed: true }]);
  await assert.rejects(journal.intent(callOf(account)), { code: "DRAINING" });
  assert.equal((await fixture.verify(account)).ok, true);
});

test("a key half through its validity gives way to a new one; calls under way keep their epoch open", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const clock = { now: new Date() };
  const journal = await fixture.open({ keyValidityMs: 1_000_000, now: () => clock.now });
  const first = await journal.epoch();
  const record = callOf(account);
  await journal.intent(record);
  const staged = await journal.stage(record, ended());
  clock.now = new Date(clock.now.getTime() + 500_001);
  const second = await journal.epoch();
  assert.notEqual(second, first);

  await fixture.sweep(await fixture.open()); // another hub finds nothing to clear up
  await journal.tend();
  assert.deepEqual(journal.status().retiring, [first]);
  await fixture.database.transact(account, async (session) => outcomeStore(session).stage(staged));
  await journal.sequence(staged);
  await journal.tend();
  assert.deepEqual(journal.status().retiring, []);
  const verdict = await fixture.verify(account);
  assert.deepEqual([verdict.ok, verdict.lanes, verdict.receipts], [true, 2, 2]);
});

test("a key past its validity signs nothing more", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const clock = { now: new Date() };
  const journal = await fixture.open({ keyValidityMs: 1_000_000, now: () => clock.now });
  await journal.intent(callOf(account));
  clock.now = new Date(clock.now.getTime() + 86_400_000);
  await journal.intent(callOf(account));
  const verdict = await fixture.verify(account);
  assert.deepEqual([verdict.ok, verdict.lanes], [true, 2]);
});

test("without the key service no lane opens: its accounts are refused, on record later, and the others go on", async () => {
  await using fixture = await journalFixture();
  const [account, other] = [await fixture.addAccount(), await fixture.addAccount()];
  let reachable = false;
  const keys = Object.assign(Object.create(fixture.keys) as typeof fixture.keys, {
    async sign(accountId: string, name: "root", message: Uint8Array) {
      if (accountId === account && !reachable) throw new HubError("KEY_SERVICE_UNREACHABLE", "gone");
      return fixture.keys.sign(accountId, name, message);
    },
    metadata: fixture.keys.metadata.bind(fixture.keys),
  });
  const journal = await fixture.open({ keys });
  const record = callOf(account);
  await assert.rejects(journal.intent(record), { code: "KEY_SERVICE_UNREACHABLE" });
  await journal.intent(callOf(other));
  reachable = true;
  await until(() => journal.status().waiting === 0);
  assert.deepEqual(await fixture.codes(record), { outcome: "KEY_SERVICE_UNREACHABLE" });
  await journal.intent(callOf(account));
  assert.equal((await fixture.verify(account)).ok, true);
});

test("an account without a root key has no lane", async () => {
  await using fixture = await journalFixture();
  const journal = await fixture.open();
  await assert.rejects(journal.intent(callOf(v7())), { code: "KEY_NOT_FOUND" });
  await until(() => journal.status().waiting === 0);
  await journal.intent(callOf(await fixture.addAccount()));
});
