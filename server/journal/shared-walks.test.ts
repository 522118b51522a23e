import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalVerdict } from "../domain/evidence/journal-verifier.ts";
import { HubError } from "../errors.ts";
import { SharedWalks } from "./shared-walks.ts";

interface Begun {
  readonly accountId: string;
  readonly signal: AbortSignal;
  readonly end: (receipts: number) => void;
  readonly fail: (error: unknown) => void;
}

/** Walks that begin when they may, and end when a test says so. */
function opened(mostAtOnce?: number) {
  const begun: Begun[] = [];
  const walks = new SharedWalks(
    {
      verify(accountId, signal = new AbortController().signal) {
        const { promise, resolve, reject } = Promise.withResolvers<JournalVerdict>();
        const end = (receipts: number) => resolve({ ok: true, profile: "team", lanes: 1, receipts, limits: [] });
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        begun.push({ accountId, signal, end, fail: reject });
        return promise;
      },
    },
    mostAtOnce,
  );
  const receipts = async (accountId: string, signal?: AbortSignal) => (await walks.verify(accountId, signal)).receipts;
  return { begun, receipts };
}

/** Lets everything that can go on do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("who asks while a walk is under way shares the next: no answer is older than its question", async () => {
  const { begun, receipts } = opened();
  const first = receipts("a");
  await settled();
  const later = Array.from({ length: 100 }, () => receipts("a"));
  await settled();
  assert.equal(begun.length, 1);
  begun[0]?.end(1);
  assert.equal(await first, 1);
  await settled();
  assert.equal(begun.length, 2);
  begun[1]?.end(2);
  assert.deepEqual(new Set(await Promise.all(later)), new Set([2]));
  const afterwards = receipts("a");
  await settled();
  begun[2]?.end(3);
  assert.equal(await afterwards, 3, "a result is not given again");
});

test("another account has a walk of its own; of all accounts a few are under way at a time", async () => {
  const { begun, receipts } = opened(2);
  const all = ["a", "b", "c"].map((account) => receipts(account));
  await settled();
  assert.deepEqual(
    begun.map(({ accountId }) => accountId),
    ["a", "b"],
  );
  begun[1]?.end(2);
  await settled();
  assert.equal(begun[2]?.accountId, "c");
  begun[0]?.end(1);
  begun[2]?.end(3);
  assert.deepEqual(await Promise.all(all), [1, 2, 3]);
});

test("a walk is called off when the last who waits has gone, and not before", async () => {
  const { begun, receipts } = opened();
  const [one, two] = [new AbortController(), new AbortController()];
  const waiting = [receipts("a", one.signal), receipts("a", two.signal)];
  await settled();
  one.abort();
  await assert.rejects(waiting[0] ?? assert.fail(), { code: "CANCELLED" });
  assert.equal(begun[0]?.signal.aborted, false);
  two.abort();
  await assert.rejects(waiting[1] ?? assert.fail(), { code: "CANCELLED" });
  await settled();
  assert.equal(begun[0]?.signal.aborted, true);
  const next = receipts("a");
  await settled();
  begun[1]?.end(1);
  assert.equal(await next, 1);
});

test("one that nobody waits for any more does not begin", async () => {
  const { begun, receipts } = opened();
  const first = receipts("a");
  await settled();
  const gone = new AbortController();
  const second = receipts("a", gone.signal);
  gone.abort();
  await assert.rejects(second, { code: "CANCELLED" });
  begun[0]?.end(1);
  await first;
  await settled();
  assert.equal(begun.length, 1);
  const third = receipts("a");
  await settled();
  begun[1]?.end(3);
  assert.equal(await third, 3);
});

test("a walk that fails fails for all who share it, and leaves the next alone", async () => {
  const { begun, receipts } = opened(1);
  const first = receipts("a");
  await settled();
  const second = receipts("a");
  begun[0]?.fail(new HubError("STORE_UNAVAILABLE", "away"));
  await assert.rejects(first, { code: "STORE_UNAVAILABLE" });
  await settled();
  begun[1]?.end(2);
  assert.equal(await second, 2);
});
