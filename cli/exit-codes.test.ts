import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDINGS, EXIT, EXIT_WORDS, exitCodeOf } from "./exit-codes.ts";

test("each exit code is documented once", () => {
  const documented = [...EXIT_WORDS.matchAll(/^ {2}(\d) /gm)].map(([, code]) => Number(code));
  assert.deepEqual(documented, Object.values(EXIT));
});

test("each way to end has a code of the hub's that leads to it, and success none", () => {
  assert.deepEqual(
    new Set(Object.values(ENDINGS)),
    new Set(["refused", "usage", "failed", "pending", "unreachable", "unverified"]),
  );
});

// what scripts rely on
for (const [code, exit] of Object.entries({
  FORBIDDEN: 3,
  PRINCIPAL_BANNED: 3,
  APPROVAL_DENIED: 3,
  CONFIRMATION_DECLINED: 3,
  INPUT_INVALID: 2,
  CONFIG_INVALID: 2,
  DATA_FOLDER_UNUSABLE: 2,
  APPROVAL_PENDING: 4,
  HUB_UNREACHABLE: 5,
  PROOF_INVALID: 6,
  NOT_FOUND: 1,
  INTERNAL: 1,
  A_CODE_OF_A_NEWER_HUB: 1,
}))
  test(`${code} ends with ${exit}`, () => assert.equal(exitCodeOf(code), exit));
