import assert from "node:assert/strict";
import { test } from "node:test";
import { finalizationInWords } from "./rotation-words.ts";

const standing = { id: "f", state: "working", sentence: "Waits for its turn.", soakUntil: null, error: null } as const;

test("a finalization says until when it soaks, how it stands, or by its code why it failed", () => {
  assert.equal(finalizationInWords(standing), "Finalization working: Waits for its turn.");
  assert.equal(
    finalizationInWords({ ...standing, soakUntil: "2026-11-26T09:00:00.000Z" }),
    "Finalization soaks until 2026-11-26T09:00:00.000Z.",
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
