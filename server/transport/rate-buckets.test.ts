import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { RateBuckets, type RateStore } from "./rate-buckets.ts";

const secret = randomBytes(32);

/** What the database does, in memory and with a clock that the test moves. */
class FakeStore implements RateStore {
  now = 0;
  away = false;
  spent: number[] = [];
  held: Promise<void> | undefined;
  readonly keys = new Set<string>();
  readonly #buckets = new Map<string, { level: number; at: number }>();

  async spend(bucket: Buffer, spent: number, capacity: number): Promise<number> {
    await this.held;
    if (this.away) throw new Error("away");
    this.spent.push(spent);
    const key = bucket.toString("hex");
    this.keys.add(key);
    const { level, at } = this.#buckets.get(key) ?? { level: capacity, at: this.now };
    const left = Math.max(-capacity, Math.min(capacity, level + (capacity * (this.now - at)) / 60_000) - spent);
    this.#buckets.set(key, { level: left, at: this.now });
    return left;
  }
}

function bucketsOn(store: FakeStore | undefined, perMinute: number, clock: { now: number } = store ?? { now: 0 }) {
  return new RateBuckets({ perMinute, kind: "test", secret, store, now: () => clock.now });
}

/** How many of so many calls are let through. */
async function taken(buckets: RateBuckets, name: string, times: number): Promise<number> {
  let count = 0;
  for (let n = 0; n < times; n++) {
    if ((await buckets.take(name)) === 0) count++;
  }
  return count;
}

describe("one process alone", () => {
  test("a bucket holds a minute's calls, says when there will be more, and fills up again", async () => {
    const clock = { now: 0 };
    const buckets = bucketsOn(undefined, 60, clock);
    assert.equal(await taken(buckets, "ada", 100), 60);
    assert.equal(await buckets.take("ada"), 1);
    assert.equal(await buckets.take("ada", 10), 10);
    clock.now += 5_000;
    assert.equal(await taken(buckets, "ada", 100), 5);
    clock.now += 3_600_000;
    assert.equal(await taken(buckets, "ada", 100), 60);
  });

  test("what is refused costs nothing, and nobody else's bucket", async () => {
    const clock = { now: 0 };
    const buckets = bucketsOn(undefined, 60, clock);
    await taken(buckets, "ada", 1000);
    assert.equal(await taken(buckets, "ben", 60), 60);
    clock.now += 1000;
    assert.equal(await buckets.take("ada"), 0);
  });

  test("without a limit nothing is counted", async () => {
    assert.equal(await taken(bucketsOn(undefined, 0), "ada", 1000), 1000);
  });

  test("more at once than a bucket ever holds is let in once it is full", async () => {
    const clock = { now: 0 };
    const buckets = bucketsOn(undefined, 10, clock);
    assert.equal(await buckets.take("ada", 15), 0);
    assert.equal(await buckets.take("ada"), 36);
  });

  test("a charge may go below nothing, and is only looked at", () => {
    const buckets = bucketsOn(undefined, 2);
    assert.equal(buckets.waitFor("here"), 0);
    for (let n = 0; n < 3; n++) buckets.charge("here");
    assert.equal(buckets.waitFor("here"), 60);
    assert.equal(buckets.waitFor("there"), 0);
  });
});

describe("processes on one store", () => {
  test("together let through what one would, but for what each may spend before it tells", async () => {
    const store = new FakeStore();
    const [a, b] = [bucketsOn(store, 100), bucketsOn(store, 100)];
    assert.equal(await taken(a, "ada", 60), 60);
    await a.told();
    const more = await taken(b, "ada", 1000);
    assert.ok(more >= 40 && more <= 45, String(more));
    await b.told();
    const last = await taken(a, "ada", 1000);
    assert.ok(60 + more + last <= 100 + 2 * 5, String(last));
  });

  test("what they spent too much is missing afterwards", async () => {
    const store = new FakeStore();
    const all = [1, 2, 3, 4].map(() => bucketsOn(store, 100));
    const atOnce = await Promise.all(all.map((buckets) => taken(buckets, "ada", 500)));
    const first = atOnce.reduce((sum, n) => sum + n, 0);
    assert.ok(first >= 100 && first <= 100 + 4 * 5, String(first));
    await Promise.all(all.map((buckets) => buckets.told()));
    store.now += 30_000;
    let second = 0;
    for (const buckets of all) {
      second += await taken(buckets, "ada", 500);
      await buckets.told();
    }
    assert.ok(first + second <= 150 + 4 * 5, String(first + second));
  });

  test("far from the limit nothing is asked of the store, and little of it later", async () => {
    const store = new FakeStore();
    const buckets = bucketsOn(store, 10_000);
    assert.equal(await taken(buckets, "ada", 249), 249);
    assert.deepEqual(store.spent, []);
    assert.equal(await taken(buckets, "ada", 4_751), 4_751);
    await buckets.told();
    assert.ok(store.spent.length <= 20, String(store.spent.length));
  });

  test("a flood is refused from memory", async () => {
    const store = new FakeStore();
    const buckets = bucketsOn(store, 100);
    await taken(buckets, "ada", 100);
    await buckets.told();
    const asked = store.spent.length;
    assert.equal(await taken(buckets, "ada", 10_000), 0);
    assert.equal(store.spent.length, asked);
  });

  test("the store learns no name", async () => {
    const store = new FakeStore();
    const buckets = bucketsOn(store, 20);
    await buckets.take("192.0.2.7");
    await buckets.told();
    const [key = ""] = store.keys;
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.ok(!Buffer.from(key, "hex").includes("192.0.2.7"));
    await new RateBuckets({ perMinute: 20, kind: "other", secret, store, now: () => 0 }).take("192.0.2.7");
    assert.equal(store.keys.size, 2);
  });

  test("a store that is away leaves each process its own limit, and is asked again after a while", async () => {
    const store = new FakeStore();
    const faults: unknown[] = [];
    const buckets = new RateBuckets({
      perMinute: 100,
      kind: "test",
      secret,
      store,
      now: () => store.now,
      onStoreAway: (error) => faults.push(error),
    });
    store.away = true;
    assert.equal(await taken(buckets, "ada", 1000), 100);
    assert.equal(faults.length, 1);
    store.away = false;
    store.now += 6_000;
    assert.equal(await taken(buckets, "ada", 1000), 10);
    await buckets.told();
    const told = store.spent.reduce((sum, n) => sum + n, 0);
    assert.ok(told >= 8 && told <= 10, String(told));
  });

  test("a process waits for the store rather than run further ahead", async () => {
    const store = new FakeStore();
    const answer = Promise.withResolvers<void>();
    store.held = answer.promise;
    const buckets = bucketsOn(store, 100);
    assert.equal(await taken(buckets, "ada", 5), 5);
    const next = buckets.take("ada");
    assert.ok(next instanceof Promise);
    answer.resolve();
    assert.equal(await next, 0);
  });
});
