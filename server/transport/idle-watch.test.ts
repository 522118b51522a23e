import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { whenIdle } from "./idle-watch.ts";
import { TestDoor } from "./test-door.ts";

const settled = async (promise: Promise<void>) => {
  const pending = Symbol();
  await new Promise(setImmediate);
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
};

test("the end comes when nobody was there for the time, and not before; never once it was called off", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  mock.method(performance, "now", () => now);
  const pass = (ms: number) => {
    now += ms;
    mock.timers.tick(ms);
  };
  try {
    let since: number | undefined;
    const off = new AbortController();
    const idle = whenIdle(() => since, 10_000, new AbortController().signal);
    const calledOff = whenIdle(() => since, 10_000, off.signal);
    off.abort();
    for (let i = 0; i < 5; i++) pass(10_000);
    assert.equal(await settled(idle), false, "somebody is there");
    since = now;
    pass(9_999);
    assert.equal(await settled(idle), false);
    since = now; // somebody came and went
    pass(9_999);
    assert.equal(await settled(idle), false);
    pass(1);
    assert.equal(await settled(idle), true);
    pass(60_000);
    assert.equal(await settled(calledOff), false);
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});

test("a door is idle between exchanges, during none, and health is no client", async () => {
  await using door = await TestDoor.open();
  const before = door.http.idleSince;
  assert.ok(before !== undefined);
  assert.equal((await fetch(new URL("/healthz", door.http.url))).status, 200);
  assert.equal(door.http.idleSince, before, "whoever looks whether it lives is no client");

  const reached = door.hub.nextRun();
  const answer = door.call("system_test_wait");
  await reached;
  assert.equal(door.http.idleSince, undefined, "a call runs");
  door.hub.gate.resolve();
  assert.equal((await answer).status, 200);
  // the answer is there before its connection is done with
  while (door.http.idleSince === undefined) await new Promise(setImmediate);
  assert.ok(door.http.idleSince > before);
});
