/**
 * Every runbook that comes with the program is drilled, as an operator would: in a scratch hub that the command starts, where
 * two people sign. Each step has to end as it says, what needs two people has two signatures, and nothing is left behind.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { OutsideHub } from "./outside/hub.ts";

interface TranscriptRecord {
  readonly record: string;
  readonly step: number;
  readonly outcome: string;
  readonly needs: string;
}

// no hub of its own is started: a drill starts one
await using place = new OutsideHub((home) => ({ TMPDIR: join(home, "tmp") }));
const temporary = join(place.home, "tmp");
mkdirSync(temporary, { mode: 0o711 });

const listed = await place.run("runbook", "list", "--json");
assert.equal(listed.code, 0, listed.err);
const { items } = JSON.parse(listed.out) as { items: { name: string; steps: { kind: string }[] }[] };
assert.ok(items.length >= 3, "runbooks are missing");

for (const { name } of items) {
  const began = performance.now();
  const drilled = await place.run("runbook", "run", name, "--drill", "--json");
  assert.equal(drilled.code, 0, `${name}: ${drilled.out}${drilled.err}`);
  const { outcome, records, receipts } = JSON.parse(drilled.out) as {
    outcome: string;
    records: TranscriptRecord[];
    receipts: string[];
  };
  assert.equal(outcome, "done");
  const of = (kind: string) => records.filter(({ record }) => record === kind);
  const otherwise = of("ended").filter((one) => !["as-expected", "skipped"].includes(one.outcome));
  assert.deepEqual(otherwise, []);
  for (const { step, needs } of of("waiting")) {
    const signatures = of("signed").filter((one) => one.step === step).length;
    assert.equal(signatures, needs.includes("two") ? 2 : 1, `${name}, step ${step}: ${needs}`);
  }
  assert.ok(of("waiting").some(({ needs }) => needs.includes("two")) || name === "key-custody");
  assert.ok(receipts.length > 0);
  assert.deepEqual(readdirSync(temporary), [], `${name} left something behind`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`  ${name}: ${of("ended").length} steps, ${receipts.length} receipts, ${seconds} s`);
}
