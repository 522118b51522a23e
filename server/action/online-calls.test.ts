import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeGate } from "./fake-gate.ts";
import { OnlineCalls } from "./online-calls.ts";

const { gate } = fakeGate();
const CHANGE = gate.registry.get("system_test_change");
const READ = gate.registry.get("system_test_read");

test("is busy while a change is under way, however it ends, and idle before there was any", async () => {
  const online = new OnlineCalls();
  assert.equal(online.busy, false);
  const { promise, reject } = Promise.withResolvers<void>();
  const call = online.run(CHANGE, () => promise);
  assert.equal(online.busy, true);
  reject(new Error("refused"));
  await assert.rejects(call, /refused/);
  assert.equal(online.busy, true, "for a moment: the caller may ask again");
});

test("a read, which may wait for that very work, and a name that is no action do not count", async () => {
  const online = new OnlineCalls();
  assert.equal(await online.run(READ, async () => online.busy), false);
  assert.equal(await online.run(undefined, async () => online.busy), false);
  assert.equal(await online.run(CHANGE, async () => online.busy), true);
});

test("is idle again some time after the last answer", async (t) => {
  let now = 1_000;
  t.mock.method(performance, "now", () => now);
  const online = new OnlineCalls();
  await online.run(CHANGE, async () => {});
  assert.equal(online.busy, true);
  now += 1_000;
  assert.equal(online.busy, false);
});
