import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Transcript } from "./transcript.ts";

const at = "2026-01-01T00:00:00.000Z";
let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-transcript-"));
});
after(() => rmSync(folder, { recursive: true }));

/** A run whose first step captured something, and whose second waits for people. */
function written(name: string): string {
  const file = join(folder, name, "run.jsonl");
  const transcript = Transcript.begin(file);
  const facts = { runId: "1", runbook: "trial", file: "trial.md", digest: "d", hub: "http://127.0.0.1:1" };
  transcript.add({ record: "run", ...facts, mode: "run", inputs: { module: "nginx" }, at });
  transcript.add({ record: "asked", step: 1, line: 9, what: "system_a", key: "k1", at });
  const ended = { record: "ended", step: 1, outcome: "as-expected", code: "OK", words: "w", at } as const;
  transcript.add({ ...ended, receiptId: "r1", captured: { first: "a" } });
  transcript.add({ record: "asked", step: 2, line: 19, what: "system_b", key: "k2", at });
  transcript.add({ record: "waiting", step: 2, requestId: "q", needs: "two people", receiptId: "r2", at });
  transcript.close();
  return file;
}

test("a transcript is gone on with: what was captured, what waits, and the key of a call without an answer", () => {
  const file = written("goes-on");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const again = Transcript.reopen(file);
  assert.deepEqual(again.begun?.inputs, { module: "nginx" });
  assert.deepEqual([...again.capturedBefore(2)], [["first", "a"]]);
  assert.deepEqual([...again.capturedBefore(1)], []);
  assert.equal(again.unanswered(1), undefined);
  assert.deepEqual(again.unanswered(2), { key: "k2", requestId: "q" });
  assert.deepEqual(again.receipts(), ["r1"]);
  again.add({
    record: "ended",
    step: 2,
    outcome: "otherwise",
    code: "APPROVAL_DENIED",
    words: "no",
    receiptId: "r3",
    at,
  });
  assert.equal(again.unanswered(2), undefined);
  again.close();
  const third = Transcript.reopen(file);
  assert.deepEqual(third.receipts(), ["r1", "r3"]);
  third.close();
});

test("a line that a crash cut off is left out; what was never a record is refused", () => {
  const file = written("cut");
  appendFileSync(file, '{"record":"ended","step":2,"outc');
  const again = Transcript.reopen(file);
  assert.equal(again.records.length, 5);
  again.add({ record: "over", outcome: "stopped", receipts: [], at });
  again.close();
  const third = Transcript.reopen(file);
  assert.equal(third.records.length, 6);
  third.close();
  assert.ok(readFileSync(file, "utf8").endsWith("}\n"));

  const foreign = join(folder, "foreign.jsonl");
  for (const text of ["hello\n", '{"record":"else"}\n', '{"a":1}\n']) {
    writeFileSync(foreign, text);
    assert.throws(() => Transcript.reopen(foreign), { code: "INPUT_INVALID" }, text);
  }
  assert.throws(() => Transcript.reopen(join(folder, "none")), { code: "INPUT_INVALID" });
});

test("a transcript is never written over", () => {
  const file = written("once");
  assert.throws(() => Transcript.begin(file), { code: "ALREADY_EXISTS" });
  Transcript.begin(join(folder, "new.jsonl")).close();
});

test("without a file it is kept in memory", () => {
  const transcript = Transcript.begin(undefined);
  transcript.add({ record: "ended", step: 1, outcome: "as-expected", code: "OK", words: "w", receiptId: "r", at });
  assert.deepEqual(transcript.receipts(), ["r"]);
  transcript.close();
});
