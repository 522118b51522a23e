import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createTokenUse } from "./token-use.ts";

function unexpected(error: unknown): never {
  throw error;
}

test("uses are gathered, each token once, and written in one go", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const touch = mock.fn(async (_ids: readonly string[]) => {});
  const use = createTokenUse(touch, { gatherMs: 5_000, report: unexpected });
  for (const tokenId of ["a", "b", "a"]) use.note(tokenId);
  t.mock.timers.tick(4_999);
  assert.equal(touch.mock.callCount(), 0);
  t.mock.timers.tick(1);
  assert.deepEqual(touch.mock.calls[0]?.arguments, [["a", "b"]]);
  t.mock.timers.tick(60_000);
  assert.equal(touch.mock.callCount(), 1, "nothing more was noted");
  use.note("a");
  t.mock.timers.tick(5_000);
  assert.deepEqual(touch.mock.calls[1]?.arguments, [["a"]]);
});

test("a use that cannot be written fails nobody and holds up nothing", async () => {
  const gone = new Error("gone");
  const report = mock.fn();
  let broken = true;
  const written: string[] = [];
  const touch = async (ids: readonly string[]) => {
    if (broken) throw gone;
    written.push(...ids);
  };
  await using use = createTokenUse(touch, { report });
  use.note("a");
  await use.flush();
  assert.deepEqual(report.mock.calls[0]?.arguments, [gone]);
  broken = false;
  use.note("b");
  await use.flush();
  assert.deepEqual(written, ["b"]);
});

test("what is still noted is written at the end", async () => {
  const written: string[] = [];
  {
    await using use = createTokenUse(async (ids) => void written.push(...ids), {
      gatherMs: 2 ** 30,
      report: unexpected,
    });
    use.note("a");
  }
  assert.deepEqual(written, ["a"]);
});
