import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../../errors.ts";
import { EventFeed, type EventSource, type FollowedEvent } from "./event-feed.ts";

/** Accounts with events in memory; every look-up is counted, and fails as often as a test says. */
class FakeSource implements EventSource {
  readonly events = new Map<string, string[]>();
  readonly looks: string[] = [];
  failures = 0;
  /** Runs before the last position is answered. */
  beforeLatest: () => void = () => {};

  add(account: string, ...subjects: readonly string[]): void {
    this.events.set(account, [...(this.events.get(account) ?? []), ...subjects]);
  }

  async latest(account: string): Promise<number> {
    this.#mayFail();
    const position = (this.events.get(account)?.length ?? 0) - 1;
    this.beforeLatest();
    return position;
  }

  async after(account: string, position: number, limit: number) {
    this.looks.push(account);
    this.#mayFail();
    const subjects = this.events.get(account) ?? [];
    return subjects
      .map((subject, index) => ({ type: "test", subject, data: {}, position: index }))
      .slice(position + 1, position + 1 + limit);
  }

  #mayFail(): void {
    if (this.failures-- > 0) throw new HubError("STORE_UNAVAILABLE", "away");
  }
}

/** Collects subjects; `count(n)` resolves when there are n. */
class Ear {
  readonly heard: string[] = [];
  #wanted = 0;
  #reached = Promise.withResolvers<void>();

  readonly tell = (events: readonly FollowedEvent[]): void => {
    this.heard.push(...events.map(({ subject }) => subject));
    if (this.heard.length >= this.#wanted) this.#reached.resolve();
  };

  count(wanted: number): Promise<void> {
    this.#wanted = wanted;
    this.#reached = Promise.withResolvers<void>();
    if (this.heard.length >= wanted) this.#reached.resolve();
    return this.#reached.promise;
  }
}

function opened() {
  const source = new FakeSource();
  const errors: unknown[] = [];
  const feed = new EventFeed(source, (error) => errors.push(error));
  return { source, errors, feed, [Symbol.asyncDispose]: () => feed.close() };
}

describe("who follows an account", () => {
  test("is told of its events from then on, in order, each once, however many come at once", async () => {
    await using opening = opened();
    const { source, feed } = opening;
    source.add("a", "before");
    const [one, two] = [new Ear(), new Ear()];
    await feed.follow("a", one.tell);
    await feed.follow("a", two.tell);
    const many = Array.from({ length: 450 }, (_, index) => `e${index}`);
    source.add("a", ...many);
    source.add("b", "another account's");
    feed.wake();
    await Promise.all([one.count(450), two.count(450)]);
    source.add("a", "last");
    feed.wake();
    await Promise.all([one.count(451), two.count(451)]);
    assert.deepEqual(one.heard, [...many, "last"]);
    assert.deepEqual(two.heard, one.heard);
    assert.ok(!source.looks.includes("b"), "nobody follows it");
  });

  test("misses nothing that happens while it begins", async () => {
    await using opening = opened();
    const { source, feed } = opening;
    const ear = new Ear();
    source.beforeLatest = () => {
      source.add("a", "in between");
      feed.wake(); // and its wake-up comes before anybody can use it
    };
    await feed.follow("a", ear.tell);
    await ear.count(1);
    assert.deepEqual(ear.heard, ["in between"]);
  });

  test("is told what it missed where wake-ups were lost or a look-up failed", async () => {
    await using opening = opened();
    const { source, errors, feed } = opening;
    const ear = new Ear();
    await feed.follow("a", ear.tell);
    source.add("a", "one", "two");
    source.failures = 1;
    feed.wake();
    await ear.count(2); // by itself, a moment later
    assert.deepEqual(ear.heard, ["one", "two"]);
    assert.equal(errors.length, 1);
  });

  test("learns at once that it cannot begin, and can try again", async () => {
    await using opening = opened();
    const { source, feed } = opening;
    const ear = new Ear();
    source.failures = 1;
    await assert.rejects(feed.follow("a", ear.tell), { code: "STORE_UNAVAILABLE" });
    await feed.follow("a", ear.tell);
    source.add("a", "one");
    feed.wake();
    await ear.count(1);
  });

  test("hears no more once it has ended; of an account that nobody follows nothing is read", async () => {
    await using opening = opened();
    const { source, feed } = opening;
    const [gone, there, other] = [new Ear(), new Ear(), new Ear()];
    const leave = await feed.follow("a", gone.tell);
    const leaveToo = await feed.follow("a", there.tell);
    leave();
    leave();
    source.add("a", "one");
    feed.wake();
    await there.count(1);
    leaveToo();
    const looks = source.looks.length;
    await feed.follow("b", other.tell);
    source.add("a", "two");
    source.add("b", "three");
    feed.wake();
    await other.count(1);
    assert.deepEqual([gone.heard, there.heard], [[], ["one"]]);
    assert.ok(!source.looks.slice(looks).includes("a"));
  });
});
