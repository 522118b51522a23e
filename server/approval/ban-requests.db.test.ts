import assert from "node:assert/strict";
import { test } from "node:test";
import { banPrincipal } from "../domain/identity/ban-principal.ts";
import { approvalFixture } from "./approval-fixture.ts";

test("a ban makes stale what waits in the principal's name, open or approved, and nobody else's", async () => {
  await using f = await approvalFixture();
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const other = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const open = await f.open(agent);
  const approved = await f.open(agent, { input: '{"replicas":6}' });
  const others = await f.open(other);
  const { now } = f.clock;
  await f.store.transact(f.accountId, (tx) =>
    tx.approvals.approve(approved.requestId, new Date(now.getTime() + 3_600_000)),
  );

  const caller = { principal: { id: other, kind: "operator", name: "Ann", personId: ann.personId } } as const;
  await f.store.transact(f.accountId, (tx) => banPrincipal(tx, { principalId: agent, reason: "odd" }, { now, caller }));
  for (const { requestId } of [open, approved]) {
    const { state, errorCode, held } = await f.request(requestId);
    assert.deepEqual([state, errorCode, held], ["stale", "APPROVAL_STALE", undefined]);
  }
  assert.equal((await f.request(others.requestId)).state, "open");
  const events = await f.events();
  assert.equal(events.filter((type) => type === "approval.stale").length, 2);
});
