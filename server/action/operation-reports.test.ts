import assert from "node:assert/strict";
import { test } from "node:test";
import type { Progress } from "../../contracts/operations/progress.ts";
import { operationReports } from "./operation-reports.ts";
import type { Reader, Store, Transaction } from "./store.ts";

const ACCOUNT = "01890000-0000-7000-8000-000000000001";
const ID = "01890000-0000-7000-8000-000000000002";
const held = { operationId: ID, fence: 1 };
const at = (done: number): Progress => ({ done, total: 9, sentence: `step ${done}` });

/** One working operation, whose progress and whose events are kept. */
class FakeStore implements Pick<Store, "read" | "transact"> {
  fence = 1;
  state = "working";
  progress = at(0);
  toldAt: Date | undefined;
  readonly told: unknown[] = [];

  async read<T>(_account: string, fn: (read: Reader) => Promise<T>): Promise<T> {
    const operation = { id: ID, kind: "test", subject: "test", createdAt: new Date(0) };
    const find = async () => ({ ...operation, state: this.state, progress: this.progress });
    const reader = { operations: { find }, approvals: { find: async () => undefined } };
    return fn(reader as unknown as Reader);
  }

  async transact<T>(_account: string, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const holds = (fence: number) => fence === this.fence && this.state === "working";
    const operations = {
      advance: async (_id: string, fence: number, progress: Progress) => {
        if (holds(fence)) this.progress = progress;
        return holds(fence);
      },
      untold: async (_id: string, fence: number, before: Date, now: Date) => {
        if (!holds(fence) || (this.toldAt && this.toldAt > before)) return undefined;
        this.toldAt = now;
        return { kind: "test", subject: "test", progress: this.progress };
      },
    };
    const events = { emit: async ({ data }: { data: { done: number } }) => void this.told.push(data.done) };
    return fn({ operations, events } as unknown as Transaction);
  }
}

/** Lets what was begun go on; no time passes. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("who follows events is told at once, then once a second of the last that was said", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const store = new FakeStore();
  const reports = operationReports(store, () => new Date());
  for (const done of [1, 2, 3]) await reports.report(ACCOUNT, held, at(done));
  assert.deepEqual(store.told, [1]);
  t.mock.timers.tick(1_000);
  await settled();
  assert.deepEqual(store.told, [1, 3]);
  t.mock.timers.tick(5_000);
  await settled();
  assert.deepEqual(store.told, [1, 3], "nothing new was said");
  await reports.report(ACCOUNT, held, at(4));
  assert.deepEqual(store.told, [1, 3, 4]);
});

test("of an operation that is over, or held by another process, nothing more is told", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const store = new FakeStore();
  const reports = operationReports(store, () => new Date());
  for (const done of [1, 2]) await reports.report(ACCOUNT, held, at(done));
  store.fence = 2;
  t.mock.timers.tick(1_000);
  await settled();
  assert.deepEqual(store.told, [1]);
  await assert.rejects(reports.report(ACCOUNT, held, at(3)), { code: "CANCELLED" });
});

test("who waits is told how far it is at first, when that has changed, and at the end", async () => {
  const store = new FakeStore();
  const reports = operationReports(store, () => new Date());
  const heard: number[] = [];
  const tell = ({ done }: Progress) => {
    heard.push(done);
    if (done === 6) store.state = "completed";
    else store.progress = at(done + 3);
  };
  const viewer = { account: { id: ACCOUNT, profile: "team" as const } };
  await reports.wait(viewer, ID, { forMs: 60_000, signal: new AbortController().signal, tell });
  assert.deepEqual(heard, [0, 3, 6]);
});
