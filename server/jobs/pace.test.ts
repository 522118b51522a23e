import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "./pace.ts";

test("batches grow while they are quick, up to what a receipt's list should hold", () => {
  const pace = new Pace();
  assert.equal(pace.size, 200);
  for (let i = 0; i < 5; i++) assert.equal(pace.done(pace.size, 10), 0);
  assert.equal(pace.size, 500);
});

test("a batch that takes long shrinks the next, and is followed by a rest", () => {
  const pace = new Pace();
  assert.equal(pace.done(200, 1_000), 1_000);
  assert.equal(pace.size, 100);
  assert.equal(pace.done(100, 60_000), 2_000, "however long it took");
  assert.equal(pace.size, 50);
});

test("a batch that was refused as too large shrinks the next, down to one record and no further", () => {
  const pace = new Pace();
  for (const size of [100, 50, 25, 12, 6, 3, 1]) assert.deepEqual([pace.refused(), pace.size], [true, size]);
  assert.equal(pace.refused(), false);
});

test("while callers wait batches are small, each with a rest; afterwards they grow again", () => {
  const pace = new Pace();
  assert.equal(pace.done(200, 20, true), 60);
  assert.equal(pace.size, 40);
  assert.equal(pace.done(40, 5, true), 15);
  assert.equal(pace.size, 40);
  assert.equal(pace.done(40, 5), 0);
  assert.equal(pace.size, 60);
});

test("a limit of records a second is kept, and no batch holds more than a second's worth", () => {
  const pace = new Pace(50);
  assert.equal(pace.size, 50);
  assert.equal(pace.done(50, 200), 800);
  assert.equal(pace.done(25, 600), 600, "what took longer than its share rests for being slow alone");
  const slowest = new Pace(1);
  assert.deepEqual([slowest.size, slowest.done(1, 10)], [1, 990]);
});
