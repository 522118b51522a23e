import assert from "node:assert/strict";
import { test } from "node:test";
import { scoreOf } from "./score.ts";

const OUTPUT = `
=== SUMMARY ===
✓ tools-list: 4 passed, 0 failed
✗ caching: 4 passed, 3 failed
✓ tasks-lifecycle: 9 passed, 0 failed
✓ server-sse-polling: 0 passed, 0 failed

Total: 17 passed, 3 failed

Not scored for 2026-07-28: 1 scenario(s) run, 0 failing. These do not affect conformance.
  ✓ tasks-lifecycle (extension)
`;

test("a score counts what is scored, and names what passed without a check", () => {
  assert.deepEqual(scoreOf(OUTPUT), { counted: 3, passed: 2, hollow: ["server-sse-polling"] });
});

test("a suite that ran nothing has no score", () => {
  assert.deepEqual(scoreOf("Running requirements 2026-07-28 (0 scenarios)"), { counted: 0, passed: 0, hollow: [] });
});
