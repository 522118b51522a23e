import assert from "node:assert/strict";
import { test } from "node:test";
import { CallProgress } from "./call-progress.ts";

function recorded() {
  const told: [number, number | undefined, string | undefined][] = [];
  const progress = new CallProgress({
    progress: async (done, total, sentence) => {
      told.push([done, total, sentence]);
    },
  });
  return { told, progress };
}

test("steps and sentences come in their order, each with a greater number than the one before", async () => {
  const { told, progress } = recorded();
  progress.tell({ done: 0, total: 2, sentence: "Fetching." });
  progress.tell({ done: 0, total: 2, sentence: "Fetching: 10 %." });
  progress.tell({ done: 1, total: 2, sentence: "Reading." });
  progress.tell({ done: 2, total: 2, sentence: "Done." });
  await progress.end();
  assert.deepEqual(told, [
    [0, 2, "Fetching."],
    [0.001, 2, "Fetching: 10 %."],
    [1, 2, "Reading."],
    [2, 2, "Done."],
  ]);
});

test("work that begins anew does not go back, and no sentence makes it look finished", async () => {
  const { told, progress } = recorded();
  progress.tell({ done: 1, total: 2, sentence: "Reading." });
  progress.tell({ done: 0, total: 2, sentence: "Fetching." });
  for (let i = 0; i < 2_000; i++) progress.tell({ done: 1, total: 2, sentence: `Reading ${i}.` });
  progress.tell({ done: 2, total: 2, sentence: "Done." });
  progress.tell({ done: 2, total: 2, sentence: "Done twice." });
  await progress.end();
  assert.ok(told.every(([done], index) => index === 0 || done > (told[index - 1]?.[0] ?? 0)));
  assert.equal(told.at(-1)?.[2], "Done.");
  assert.ok(told.slice(0, -1).every(([done]) => done < 2));
});

test("nothing is told after the end, and a client that is gone is no fault", async () => {
  let calls = 0;
  const progress = new CallProgress({
    progress: async () => {
      calls++;
      throw new Error("gone");
    },
  });
  progress.tell({ done: 0, total: 1, sentence: "a" });
  await progress.end();
  progress.tell({ done: 1, total: 1, sentence: "b" });
  await progress.end();
  assert.equal(calls, 1);
});
