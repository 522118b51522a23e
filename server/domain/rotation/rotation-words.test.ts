import assert from "node:assert/strict";
import { test } from "node:test";
import { finalizationInWords, notFinalizedInWords, soakInWords } from "./rotation-words.ts";

const standing = { id: "f", state: "working", sentence: "Waits for its turn.", soakUntil: null, error: null } as const;

test("a finalization says until when it soaks, how it stands, or by its code why it failed", () => {
  assert.equal(finalizationInWords(standing), "Finalization working: Waits for its turn.");
  assert.equal(
    finalizationInWords({ ...standing, soakUntil: "2026-11-26T09:00:00.000Z" }),
    "Finalization soaks until 2026-11-26T09:00:00.000Z; system_operations_cancel of f keeps old versions readable.",
  );
  assert.equal(
    finalizationInWords({
      ...standing,
      state: "failed",
      soakUntil: "2026-11-26T09:00:00.000Z",
      error: { code: "KEY_VERSION_IN_USE", message: "1 backup that is not retired." },
    }),
    "Finalization failed: KEY_VERSION_IN_USE: 1 backup that is not retired.",
  );
});

test("a rotation that is not finalised is named, with how its finalization stands", () => {
  const soakUntil = "2026-11-26T09:00:00.000Z";
  const soaking = notFinalizedInWords({ id: "r-1", finalization: { ...standing, soakUntil } });
  for (const told of ["r-1", soakUntil]) assert.ok(soaking.includes(told), soaking);
  assert.equal(notFinalizedInWords({ id: "r-1", finalization: null }), "Rotation r-1 is not finalised.");
});

test("a soak of no minutes is none", () => {
  assert.deepEqual([0, 1, 60].map(soakInWords), ["at once", "after 1 minute", "after 60 minutes"]);
});
