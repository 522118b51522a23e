import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryQueue, type QueuedEntry } from "./entry-queue.ts";

const MIB = 1024 * 1024;

/** A queue of statements of these lengths; only their text counts here. */
function queueOf(statements: readonly string[], awaited = false): EntryQueue {
  const queue = new EntryQueue();
  for (const statement of statements) {
    queue.push({ entry: { statement }, awaited, resolve() {}, reject() {} } as unknown as QueuedEntry);
  }
  return queue;
}

const ofLength = (length: number) => "x".repeat(length);

function batches(queue: EntryQueue): number[] {
  const sizes = [];
  while (!queue.isEmpty) sizes.push(queue.takeBatch().length);
  return sizes;
}

test("a batch ends before its statements are longer than 4 MiB, in bytes and not in characters", () => {
  assert.deepEqual(batches(queueOf(Array.from({ length: 4 }, () => ofLength(MIB)))), [4]);
  assert.deepEqual(batches(queueOf([...Array.from({ length: 4 }, () => ofLength(MIB)), "x"])), [4, 1]);
  assert.deepEqual(batches(queueOf(Array.from({ length: 4 }, () => "\u20ac".repeat(MIB)))), [1, 1, 1, 1]);
});

test("a statement longer than that goes by itself", () => {
  assert.deepEqual(batches(queueOf(["x", ofLength(5 * MIB), "x"])), [1, 1, 1]);
});

test("a batch has 512 entries at most", () => {
  assert.deepEqual(
    batches(
      queueOf(
        Array.from({ length: 513 }, () => "x"),
        true,
      ),
    ),
    [512, 1],
  );
});

test("a commit is due when it is full or awaited, and not when it was taken", () => {
  assert.equal(queueOf([ofLength(MIB)]).isDue, false);
  assert.equal(queueOf(["x"], true).isDue, true);
  const full = queueOf([ofLength(4 * MIB), "x"]);
  assert.equal(full.isDue, true);
  full.takeBatch();
  assert.deepEqual([full.isDue, full.isEmpty], [false, false]);
  assert.equal(full.takeAll().length, 1);
  assert.deepEqual([full.isDue, full.isEmpty], [false, true]);
});
