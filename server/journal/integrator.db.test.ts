import assert from "node:assert/strict";
import { test } from "node:test";
import { eventStore } from "../adapters/postgres/event-store.ts";
import { integrationStore } from "../adapters/postgres/integration-store.ts";
import { startIntegrator } from "./integrator.ts";
import { callOf, ended, type JournalFixture, journalFixture, SILENT, until } from "./journal-fixture.ts";

async function positions({ superuser }: JournalFixture, account: string): Promise<number[]> {
  const { rows } = await superuser.query("select position::int from log_entry where account_id = $1 order by 1", [
    account,
  ]);
  return rows.map(({ position }) => position);
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("several hubs that write and integrate at once give each receipt one position, without a gap", async () => {
  await using fixture = await journalFixture();
  const accounts = [await fixture.addAccount(), await fixture.addAccount()] as const;
  const hubs = await Promise.all(
    upTo(3).map(async () => {
      const integrator = startIntegrator({ store: integrationStore(fixture.database), log: SILENT, everyMs: 60_000 });
      return { integrator, journal: await fixture.open({ onCommitted: (ids) => integrator.kick(ids) }) };
    }),
  );
  await Promise.all(
    hubs.flatMap(({ journal }) =>
      upTo(30).map((i) => fixture.change(journal, callOf(accounts[i % 2] as (typeof accounts)[0]))),
    ),
  );
  for (const { integrator } of hubs) await integrator.settled();
  for (const account of accounts) {
    assert.deepEqual(await positions(fixture, account), upTo(90));
    assert.equal((await fixture.verify(account)).ok, true);
  }
  for (const { integrator } of hubs) await integrator.stop();
});

test("what a process left that ended before it integrated is found by the look that every hub takes", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open({ onCommitted: () => {} });
  await fixture.change(journal, callOf(account));
  await journal.close();
  assert.deepEqual(await positions(fixture, account), []);
  const limits = (await fixture.verify(account)).limits.length;
  const other = startIntegrator({ store: integrationStore(fixture.database), log: SILENT, everyMs: 1 });
  await until(async () => (await positions(fixture, account)).length === 2);
  await until(
    async () => (await fixture.superuser.query("select from journal_epoch where integrated_at is null")).rowCount === 0,
  );
  await other.stop();
  assert.equal((await fixture.verify(account)).limits.length, limits - 1);
});

test("who stops gives a place to what was written during the last round", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const store = integrationStore(fixture.database);
  let rounds = 0;
  const inRound = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const integrator = startIntegrator({
    store: {
      ...store,
      async integrate(accounts, most) {
        const unfinished = await store.integrate(accounts, most);
        if (++rounds === 1) {
          inRound.resolve();
          await written.promise;
        }
        return unfinished;
      },
    },
    log: SILENT,
    everyMs: 60_000,
  });
  const journal = await fixture.open({ onCommitted: (ids) => integrator.kick(ids) });
  await journal.intent(callOf(account));
  await inRound.promise;
  await journal.intent(callOf(account));
  await journal.close();
  const stopped = integrator.stop();
  written.resolve();
  await stopped;
  assert.deepEqual(await positions(fixture, account), [0, 1]);
  assert.equal(rounds, 2);
});

test("who stops does not wait for a database that is away", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  let rounds = 0;
  const integrator = startIntegrator({
    store: {
      ...integrationStore(fixture.database),
      integrate: () => {
        rounds++;
        return Promise.reject(new Error("the database is away"));
      },
    },
    log: SILENT,
    everyMs: 60_000,
  });
  integrator.kick([account]);
  await integrator.stop();
  assert.equal(rounds, 2);
});

test("more than a round takes is integrated in several", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open({ onCommitted: () => {} });
  await Promise.all(upTo(50).map(() => journal.intent(callOf(account))));
  const store = integrationStore(fixture.database);
  assert.deepEqual(await store.integrate([account, account], 20), [account]);
  assert.deepEqual(await positions(fixture, account), upTo(20));
  assert.deepEqual(await store.integrate([account], 40), []);
  assert.deepEqual(await positions(fixture, account), upTo(50));
});

test("who finds the log leased waits, and goes on where the other ended", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open({ onCommitted: () => {} });
  await journal.intent(callOf(account));
  await fixture.superuser.query("begin");
  await fixture.superuser.query("update account_log set next_position = 5 where account_id = $1", [account]);
  const integrated = integrationStore(fixture.database).integrate([account], 10);
  await until(async () => (await fixture.superuser.query("select from pg_locks where not granted")).rowCount === 1);
  await fixture.superuser.query("commit");
  await integrated;
  assert.deepEqual(await positions(fixture, account), [5]);
});

test("a round that fails is made up for", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const store = integrationStore(fixture.database);
  let failures = 2;
  const integrator = startIntegrator({
    store: {
      ...store,
      async integrate(accounts, most) {
        if (failures-- > 0) throw new Error("the database is away");
        return store.integrate(accounts, most);
      },
    },
    log: SILENT,
    everyMs: 5,
  });
  const journal = await fixture.open({ onCommitted: (ids) => integrator.kick(ids) });
  await journal.intent(callOf(account));
  await until(async () => (await positions(fixture, account)).length === 1);
  await integrator.stop();
});

test("events get positions after they were committed, in an order that only grows at its end; who listens is woken", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  let woken = 0;
  fixture.superuser.on("notification", ({ channel, payload }) => {
    assert.deepEqual([channel, payload], ["countersign_log", ""]);
    woken++;
  });
  await fixture.superuser.query("listen countersign_log");
  const emit = (name: string) =>
    fixture.database.transact(account, (session) =>
      eventStore(session).emit({
        type: "fleet.object_created",
        subject: `fleet/Template/${name}`,
        data: { version: 1, by: account },
      }),
    );
  const list = (cursor?: string, limit = 2) =>
    fixture.database.read(account, (session) =>
      eventStore(session).list({}, { limit, ...(cursor !== undefined && { cursor }) }),
    );
  for (const name of ["a", "b", "c"]) await emit(name);
  assert.deepEqual((await list()).items, [], "not placed yet");
  await fixture.integrate();
  await emit("d");
  await fixture.integrate();
  const first = await list();
  const second = await list(first.next);
  assert.deepEqual(
    [...first.items, ...second.items].map(({ subject, position }) => [subject, position]),
    ["a", "b", "c", "d"].map((name, i) => [`fleet/Template/${name}`, i]),
  );
  assert.deepEqual(await list(second.next), { items: [], next: second.next }); // and from here on, later
  await until(() => woken === 2);
});

test("events are listed by type and subject, to their account alone, and catalogued ones alone are taken", async () => {
  await using fixture = await journalFixture();
  const [account, other] = [await fixture.addAccount(), await fixture.addAccount()];
  const emit = (event: { type: string; subject: string; data: Record<string, unknown> }) =>
    fixture.database.transact(account, (session) => eventStore(session).emit(event));
  const created = { type: "fleet.object_created", subject: "fleet/Module/a", data: { version: 1, by: "x" } };
  await emit(created);
  await emit({ ...created, type: "fleet.object_deleted" });
  await emit({ ...created, subject: "fleet/Module/b" });
  for (const wrong of [
    { ...created, type: "fleet.object_painted" },
    { ...created, subject: "fleet/Module" },
    { ...created, data: { version: 1 } },
    { ...created, data: { version: "1", by: "x" } },
    { ...created, data: { version: 1, by: "x", colour: "red" } },
  ]) {
    await assert.rejects(emit(wrong), /catalogue/);
  }
  await fixture.integrate();
  const list = (id: string, filter: { types?: string[]; subject?: string }) =>
    fixture.database.read(id, async (session) => (await eventStore(session).list(filter, { limit: 9 })).items.length);
  assert.deepEqual(
    [
      await list(account, {}),
      await list(account, { types: ["fleet.object_created"] }),
      await list(account, { subject: "fleet/Module/a" }),
      await list(account, { types: ["fleet.object_created"], subject: "fleet/Module/a" }),
      await list(other, {}),
    ],
    [3, 2, 2, 1, 0],
  );
});

test("the log says the same of a call as its receipts, whatever the outcome", async () => {
  await using fixture = await journalFixture();
  const account = await fixture.addAccount();
  const journal = await fixture.open();
  const anonymous = {
    callId: callOf(account).callId,
    accountId: account,
    action: "door",
    schemaDigest: "",
    channel: "http",
  };
  journal.note(anonymous, ended("UNAUTHENTICATED"));
  await fixture.change(journal, callOf(account));
  await until(() => journal.status().waiting === 0);
  await fixture.integrate();
  assert.equal((await fixture.list(account, { code: "UNAUTHENTICATED" })).length, 1);
  assert.equal((await fixture.verify(account)).ok, true);
});
