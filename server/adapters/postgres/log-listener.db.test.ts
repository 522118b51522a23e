import assert from "node:assert/strict";
import { test } from "node:test";
import { EventFeed } from "../../domain/events/event-feed.ts";
import { journalFixture } from "../../journal/journal-fixture.ts";
import { dedicatedClient } from "./dedicated-client.ts";
import { eventSource } from "./event-source.ts";
import { eventStore } from "./event-store.ts";
import { LogListener } from "./log-listener.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

const NAME = "countersign-listener";

/** Counts what a listener says; `next` resolves at the next one. */
function listening(db: Pick<TestDatabase, "runtime">, options: { heartbeatMs?: number } = {}) {
  const lost: unknown[] = [];
  let woken = Promise.withResolvers<void>();
  const listener = new LogListener({
    connect: () => dedicatedClient(db.runtime, NAME),
    onWake: () => {
      woken.resolve();
      woken = Promise.withResolvers<void>();
    },
    onLost: (error) => lost.push(error),
    ...options,
  });
  return {
    lost,
    next: () => woken.promise,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

test("it wakes when it begins to listen, at each notification, and again after its connection was lost", async () => {
  await using db = await testDatabase();
  await using one = listening(db);
  await using other = listening(db);
  await Promise.all([one.next(), other.next()]);
  const both = Promise.all([one.next(), other.next()]);
  await db.database.query("select pg_notify('countersign_log', '')");
  await both;
  const again = Promise.all([one.next(), other.next()]);
  await using superuser = await closing(dedicatedClient(db.superuser, "test"));
  const { rows } = await superuser.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()",
    [NAME],
  );
  assert.equal(rows.length, 2);
  await again;
  assert.deepEqual([one.lost.length, other.lost.length], [1, 1]);
  const heard = one.next();
  await db.database.query("select pg_notify('countersign_log', '')");
  await heard;
});

test("it connects again where the connection says nothing any more, and ends while it waits for one", async () => {
  await using db = await testDatabase();
  let connected = 0;
  const reconnected = Promise.withResolvers<void>();
  const listener = new LogListener({
    connect: async () => {
      const client = await dedicatedClient(db.runtime, NAME);
      const query = client.query.bind(client) as (text: string) => Promise<unknown>;
      if (connected++ === 0)
        client.query = ((text: string) =>
          text === "select 1" ? Promise.reject(new Error("no answer")) : query(text)) as typeof client.query;
      else reconnected.resolve();
      return client;
    },
    onWake: () => {},
    onLost: () => {},
    heartbeatMs: 5,
  });
  await reconnected.promise;
  await listener[Symbol.asyncDispose]();
  const lost = Promise.withResolvers<void>();
  const hopeless = new LogListener({
    connect: async () => {
      throw new Error("no database");
    },
    onWake: () => {},
    onLost: () => lost.resolve(),
  });
  await lost.promise;
  await hopeless[Symbol.asyncDispose]();
});

test("events of one account reach who follows it, once they have positions, in two processes", async () => {
  await using fixture = await journalFixture();
  const [account, stranger] = [await fixture.addAccount(), await fixture.addAccount()];
  const emit = (to: string, name: string) =>
    fixture.database.transact(to, (session) =>
      eventStore(session).emit({
        type: "fleet.object_created",
        subject: `fleet/Module/${name}`,
        data: { version: 1, by: "x" },
      }),
    );
  await emit(account, "before");
  await fixture.integrate();
  await using rooms = new AsyncDisposableStack();
  const subjects: string[][] = [[], []];
  const heard = subjects.map(() => Promise.withResolvers<void>());
  for (const [index, own] of subjects.entries()) {
    const feed = new EventFeed(eventSource(fixture.database), (error) => assert.fail(String(error)));
    rooms.defer(() => feed.close());
    rooms.use(
      new LogListener({
        connect: () => dedicatedClient(fixture.db.runtime, NAME),
        onWake: () => feed.wake(),
        onLost: () => {},
      }),
    );
    await feed.follow(account, (events) => {
      own.push(...events.map(({ subject }) => subject));
      if (own.length >= 2) heard[index]?.resolve();
    });
  }
  await emit(account, "a");
  await emit(stranger, "theirs");
  await fixture.integrate();
  await emit(account, "b");
  await fixture.integrate();
  await Promise.all(heard.map(({ promise }) => promise));
  const expected = ["fleet/Module/a", "fleet/Module/b"];
  assert.deepEqual(subjects, [expected, expected]);
});

async function closing<T extends { end(): Promise<void> }>(opened: Promise<T>): Promise<T & AsyncDisposable> {
  const client = await opened;
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
