import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import { stagedValues } from "../adapters/postgres/journal-store.ts";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import { sweepStore } from "../adapters/postgres/sweep-store.ts";
import type { CallRecord } from "../domain/evidence/call-record.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { HubError } from "../errors.ts";
import { callOf, ended, type JournalFixture, journalFixture, SILENT, until } from "./journal-fixture.ts";
import { sweep } from "./sweeper.ts";

/** Writes the row as who holds the runtime role could. */
async function insertRow({ database }: JournalFixture, outcome: StagedOutcome): Promise<void> {
  await database.transact(outcome.accountId, (session) =>
    session.query("insert into outcome_staged values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", stagedValues(outcome)),
  );
}

async function stagedCalls({ superuser }: JournalFixture): Promise<string[]> {
  return (await superuser.query("select call_id from outcome_staged order by 1")).rows.map(({ call_id }) => call_id);
}

/** An account with an intent whose process closed its epoch without an outcome, and what the hub staged for it. */
async function leftBehind(fixture: JournalFixture) {
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const record = callOf(account);
  await journal.intent(record);
  const staged = await journal.stage(record, ended());
  await journal.close();
  return { account, record, staged };
}

const OTHER_MAC = { version: 1, mac: Buffer.alloc(32, 1) };

const FORGERIES: readonly (readonly [string, (staged: StagedOutcome) => Partial<StagedOutcome>])[] = [
  ["a seal that no key made", () => ({ seal: OTHER_MAC })],
  ["a seal of no length", () => ({ seal: { version: 1, mac: Buffer.alloc(0) } })],
  ["a version of the key that never was", ({ seal }) => ({ seal: { ...seal, version: 2 } })],
  ["another statement", ({ statement }) => ({ statement: statement.replace('"code":"OK"', '"code":"KO"') })],
  ["another epoch, which is nobody's", ({ epoch }) => ({ epoch: epoch + 1_000 })],
];

for (const [what, forge] of FORGERIES) {
  test(`a row is never sequenced, and its call becomes AMBIGUOUS: ${what}`, async () => {
    await using fixture = await journalFixture();
    const { account, record, staged } = await leftBehind(fixture);
    await insertRow(fixture, { ...staged, ...forge(staged) });
    const errors: object[] = [];
    const options = { store: sweepStore(fixture.database), journal: await fixture.open(), log: { ...SILENT } };
    options.log.error = (facts: object) => void errors.push(facts);
    const reported = new Set<string>();
    await sweep(options, reported);
    await sweep(options, reported);
    assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "AMBIGUOUS" });
    assert.deepEqual(await stagedCalls(fixture), [record.callId]);
    assert.equal(errors.length, 1);
    assert.equal((await fixture.verify(account)).ok, true);
  });
}

test("the same row with the seal that the hub gave it is sequenced", async () => {
  await using fixture = await journalFixture();
  const { account, record, staged } = await leftBehind(fixture);
  await insertRow(fixture, staged);
  await fixture.sweep(await fixture.open());
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
  assert.deepEqual(await stagedCalls(fixture), []);
  assert.equal((await fixture.verify(account)).ok, true);
});

test("a seal holds for its call and its account alone", async () => {
  await using fixture = await journalFixture();
  const { staged } = await leftBehind(fixture);
  const invented = { ...staged, callId: v7() };
  const moved = { ...staged, accountId: await fixture.addAccount() };
  await insertRow(fixture, invented);
  await insertRow(fixture, moved);
  await insertRow(fixture, staged);
  await fixture.sweep(await fixture.open());
  assert.deepEqual(await stagedCalls(fixture), [staged.callId, invented.callId]);
  const { rows } = await fixture.superuser.query("select call_id, account_id from receipt where phase = 'outcome'");
  assert.deepEqual(rows, [{ call_id: staged.callId, account_id: staged.accountId }]);
});

test("rows that stay keep none behind them back", async () => {
  await using fixture = await journalFixture();
  const { record, staged } = await leftBehind(fixture);
  await fixture.superuser.query(
    `insert into outcome_staged
     select $1, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, $2, 'a', null, 'OK', now() - interval '1 day',
       's', $3, 1 from generate_series(1, 401) n`,
    [staged.accountId, staged.epoch, OTHER_MAC.mac],
  );
  await insertRow(fixture, staged);
  await fixture.sweep(await fixture.open());
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
});

test("where the key service does not answer, a row waits", async () => {
  await using fixture = await journalFixture();
  const { record, staged } = await leftBehind(fixture);
  await insertRow(fixture, staged);
  const keys = Object.assign(Object.create(fixture.keys) as typeof fixture.keys, {
    hmac: () => Promise.reject(new HubError("KEY_SERVICE_UNREACHABLE", "gone")),
    verifyHmac: () => Promise.reject(new HubError("KEY_SERVICE_UNREACHABLE", "gone")),
    sign: fixture.keys.sign.bind(fixture.keys),
    metadata: fixture.keys.metadata.bind(fixture.keys),
  });
  await fixture.sweep(await fixture.open({ keys }));
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING" });
  await fixture.sweep(await fixture.open());
  assert.deepEqual(await fixture.codes(record), { intent: "PENDING", outcome: "OK" });
});

test("a row in the name of a call that is given up does not stand for it; one that the hub staged does", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const giveUp = async (write: (record: CallRecord, staged: StagedOutcome) => Promise<void>) => {
    const record = callOf(account);
    await journal.intent(record);
    await write(record, await journal.stage(record, ended()));
    journal.abandon(record, ended("STORE_UNAVAILABLE"));
    await until(() => journal.status().waiting === 0);
    return (await fixture.codes(record)).outcome;
  };
  assert.equal(await giveUp((_, staged) => insertRow(fixture, { ...staged, seal: OTHER_MAC })), "STORE_UNAVAILABLE");
  const stage = (_: CallRecord, staged: StagedOutcome) =>
    fixture.database.transact(account, async (session) => outcomeStore(session).stage(staged));
  assert.equal(await giveUp(stage), "OK");
  assert.equal((await fixture.verify(account)).ok, true);
});
