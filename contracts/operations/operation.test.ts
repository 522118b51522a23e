import assert from "node:assert/strict";
import { test } from "node:test";
import { nextCall, nextText } from "./operation.ts";

test("the call that tells the whole of an operation is read back as it was written", () => {
  for (const input of [{ runId: "01a0b1c2-d3e4-7f56-8a9b-0c1d2e3f4a5b" }, { text: 'a b {"c"}' }, {}]) {
    const call = { action: "system_gitops_get_sync_run", input };
    assert.deepEqual(nextCall(nextText(call)), call);
  }
});
