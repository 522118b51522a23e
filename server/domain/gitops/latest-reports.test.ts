import assert from "node:assert/strict";
import { test } from "node:test";
import { LatestReports } from "./latest-reports.ts";

/** Reports that end when the test says so. */
function heldReports() {
  const begun: { sentence: string; end: () => void; fail: (error: Error) => void }[] = [];
  const report = (sentence: string) =>
    new Promise<void>((end, fail) => {
      begun.push({ sentence, end, fail });
    });
  return { begun, reports: new LatestReports(report), sentences: () => begun.map(({ sentence }) => sentence) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("one at a time; of what is said meanwhile the last", async () => {
  const { begun, reports, sentences } = heldReports();
  for (const sentence of ["1 %", "2 %", "3 %"]) reports.say(sentence);
  await turn();
  assert.deepEqual(sentences(), ["1 %"]);
  begun[0]?.end();
  await turn();
  assert.deepEqual(sentences(), ["1 %", "3 %"]);
  begun[1]?.end();
  await turn();
  reports.say("4 %");
  assert.deepEqual(sentences(), ["1 %", "3 %", "4 %"], "it goes on after a pause");
});

test("a report that fails is left behind", async () => {
  const { begun, reports, sentences } = heldReports();
  reports.say("1 %");
  reports.say("2 %");
  begun[0]?.fail(new Error("the database is away"));
  await turn();
  assert.deepEqual(sentences(), ["1 %", "2 %"]);
});

test("the end waits for what is under way, and nothing comes after it", async () => {
  const { begun, reports, sentences } = heldReports();
  reports.say("1 %");
  reports.say("2 %");
  let ended = false;
  const end = reports.end().then(() => {
    ended = true;
  });
  await turn();
  assert.equal(ended, false);
  begun[0]?.end();
  await end;
  assert.deepEqual(sentences(), ["1 %"]);
});

test("the end of nothing comes at once", async () => {
  const { reports, sentences } = heldReports();
  await reports.end();
  assert.deepEqual(sentences(), []);
});
