import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createLog } from "./log.ts";
import { openLogFile } from "./log-file.ts";

const folder = mkdtempSync(join(tmpdir(), "countersign-log-"));
after(() => rmSync(folder, { recursive: true }));
const sizeOf = (path: string) => statSync(path).size;

test("a log file and the one before it stay below their bound, and nobody else can read them", () => {
  const path = join(folder, "bounded.log");
  const log = createLog({ level: "info", format: "json" }, openLogFile(path, 2_000));
  for (let n = 0; n < 100; n++) {
    log.info({ n }, "a line");
    assert.ok(sizeOf(path) <= 2_000);
  }
  assert.ok(sizeOf(`${path}.1`) <= 2_000);
  for (const file of [path, `${path}.1`]) assert.equal(statSync(file).mode & 0o777, 0o600);
  const kept = [`${path}.1`, path].flatMap((file) => readFileSync(file, "utf8").trim().split("\n"));
  const numbers = kept.map((line) => JSON.parse(line).n as number);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => 100 - numbers.length + i),
    "a line was lost",
  );
});

test("what another descriptor of the file writes goes to the same file, after a turn too", () => {
  const path = join(folder, "shared.log");
  const destination = openLogFile(path, 100);
  const stderr = openSync(path, "a");
  destination.write("x".repeat(90));
  destination.write("y".repeat(90));
  writeSync(stderr, "crash");
  closeSync(stderr);
  assert.equal(readFileSync(path, "utf8"), `${"y".repeat(90)}crash`);
  assert.equal(readFileSync(`${path}.1`, "utf8"), "x".repeat(90));
});

test("a file that exists is added to, and secrets are taken out as in any log", () => {
  const path = join(folder, "secrets.log");
  openLogFile(path).write("before\n");
  createLog({ level: "info", format: "json" }, openLogFile(path)).info(
    "token cs_0193a0000000700080000000000000c1_AAAA",
  );
  assert.match(readFileSync(path, "utf8"), /^before\n\{.*token cs_\[redacted\]"\}\n$/);
});

test("a disk that takes nothing costs no call", () => {
  assert.doesNotThrow(() => openLogFile("/dev/full").write("x"));
});
