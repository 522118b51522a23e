import assert from "node:assert/strict";
import { test } from "node:test";
import { expireRequest } from "../domain/approvals/expire-request.ts";
import { listRequests, showRequest } from "../domain/approvals/read-requests.ts";
import { APPROVE, approvalFixture, RESULT, STEWARD, TWO_PERSON, testCipher } from "./approval-fixture.ts";
import { openResult } from "./held-call.ts";

const HOUR = 3_600_000;

async function approved(demand = APPROVE) {
  const f = await approvalFixture();
  const [owner, ann, bob] = [
    await f.addPerson("Owner"),
    await f.addPerson("Ann", ["steward"]),
    await f.addPerson("Bob", ["steward"]),
  ];
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const { requestId } = await f.open(agent, { demand, idempotencyKey: "key-1", runId: "run-1" });
  await f.decide(ann, requestId);
  if (demand.people === 2) await f.decide(bob, requestId);
  const take = () => f.approvals.take(f.accountId, requestId);
  const settle = (settlement: Parameters<typeof f.approvals.settle>[2]) =>
    f.store.transact(f.accountId, async (tx) => f.approvals.settle(tx, await held, settlement));
  const held = take().then((call) => {
    assert.ok(call);
    return call;
  });
  await held;
  const recheck = async () => f.approvals.recheck(await held, await f.callerOf(agent));
  return {
    f,
    owner,
    ann,
    bob,
    agent,
    requestId,
    held,
    take,
    settle,
    recheck,
    [Symbol.asyncDispose]: () => f[Symbol.asyncDispose](),
  };
}

test("an approved request is taken as it was asked for and agreed to", async () => {
  await using t = await approved(TWO_PERSON);
  const held = await t.held;
  const { accountId, requesterId, action, channel, canonicalInput, idempotencyKey, runId, target, demand, approval } =
    held;
  assert.deepEqual(
    { accountId, requesterId, action, channel, canonicalInput, idempotencyKey, runId, target, demand },
    {
      accountId: t.f.accountId,
      requesterId: t.agent,
      action: "system_fleet_put_object",
      channel: "mcp",
      canonicalInput: '{"replicas":5}',
      idempotencyKey: "key-1",
      runId: "run-1",
      target: { type: "FleetObject", id: "Template/web", version: "1" },
      demand: TWO_PERSON,
    },
  );
  assert.equal(held.salt.length, 32);
  assert.deepEqual([approval.profile, approval.demand], ["team", "two-person"]);
  assert.deepEqual(
    approval.decisions.map(({ personId, assurance, keyId }) => [personId, assurance, keyId]),
    [t.ann, t.bob].map(({ personId, keyId }) => [personId, "signed", keyId]),
  );
});

test("only an approved request is taken, and only in its time", async () => {
  await using t = await approved();
  assert.equal(await t.f.approvals.take(t.f.accountId, t.agent), undefined);
  const open = await t.f.open(t.agent, { input: "{}" });
  assert.equal(await t.f.approvals.take(t.f.accountId, open.requestId), undefined);
  t.f.later(HOUR);
  assert.equal(await t.take(), undefined);
  t.f.later(-1);
  assert.ok(await t.take());
  await t.f.spend(t.requestId);
  assert.equal(await t.take(), undefined);
});

test("rows that were changed after the signatures are not executed", async () => {
  await using t = await approved();
  const tampered = { code: "APPROVAL_STALE" };
  const other = await t.f.open(t.agent, { input: '{"replicas":500}' });
  await t.f.decide(t.ann, other.requestId);
  const [before] = await t.f.sql<{ statement: string; preview: string; held: string }>(
    "select statement, preview, held from approval_request where id = $1",
    [t.requestId],
  );
  const set = (column: string, value: string | undefined) =>
    t.f.asSuperuser(`update approval_request set ${column} = $2 where id = $1`, [t.requestId, value]);
  await set("statement", before?.statement.replace("Template/web", "Template/all"));
  await assert.rejects(t.take(), tampered);
  await set("statement", before?.statement);
  await set("preview", '{"changes":[],"headline":"nothing"}');
  await assert.rejects(t.take(), tampered);
  await set("preview", before?.preview);
  await set("held", (await t.f.request(other.requestId)).held);
  await assert.rejects(t.take(), { code: "CIPHERTEXT_INVALID" });
  await set("held", before?.held);
  // a column beside the statement is not what is executed
  await set("action", "system_fleet_delete_object");
  assert.equal((await t.take())?.action, "system_fleet_put_object");
  await set("action", "system_fleet_put_object");
  await t.recheck();
});

test("columns beside the statement change neither how many sign nor who may", async () => {
  await using t = await approved(TWO_PERSON);
  const { requestId } = await t.f.open(t.agent, { demand: TWO_PERSON, input: "{}" });
  const edit = (set: string) => t.f.asSuperuser(`update approval_request set ${set} where id = $1`, [requestId]);
  await edit("demand_people = 1, profile = 'solo', owner_person_id = null");
  await assert.rejects(t.f.decide(t.owner, requestId), { code: "DECISION_NOT_ALLOWED" });
  const first = await t.f.decide(t.ann, requestId);
  assert.deepEqual([first.state, first.approvals, first.needed], ["open", 1, 2]);
  // nor does a request that was opened by hand for the job
  await edit("state = 'approved'");
  const held = await t.f.approvals.take(t.f.accountId, requestId);
  assert.ok(held);
  const recheck = async () => t.f.approvals.recheck(held, await t.f.callerOf(t.agent));
  await assert.rejects(recheck(), { code: "APPROVAL_STALE", details: { needed: 2, left: 1 } });
  await edit("state = 'open'");
  assert.equal((await t.f.decide(t.bob, requestId)).state, "approved");
  await recheck();
});

test("a statement that is not the one with this digest is decided on by nobody", async () => {
  await using t = await approved(TWO_PERSON);
  const { requestId } = await t.f.open(t.agent, { demand: TWO_PERSON, input: "{}" });
  const { statement } = await t.f.request(requestId);
  const set = (text: string) =>
    t.f.asSuperuser("update approval_request set statement = $2 where id = $1", [requestId, text]);
  await set(statement.replace('"people":2', '"people":1'));
  await assert.rejects(t.f.decideAs(t.ann.principalId, { requestId }), { code: "APPROVAL_STALE" });
  await set("no statement");
  await assert.rejects(t.f.decide(t.ann, requestId), { code: "APPROVAL_STALE" });
  await set(statement);
  assert.equal((await t.f.decide(t.ann, requestId)).state, "open");
});

test("who is forbidden the call itself does not count as holding its permission, then or later", async () => {
  await using t = await approved();
  const demand = { ...APPROVE, holding: [STEWARD] };
  const { requestId } = await t.f.open(t.agent, { demand, input: '{"replicas":7}' });
  t.f.forbidden.add(t.ann.principalId);
  await assert.rejects(t.f.decide(t.ann, requestId), { code: "DECISION_NOT_ALLOWED" });
  const { action, channel, canonicalInput } = t.f.asked.at(-1) ?? assert.fail();
  assert.deepEqual([action, channel, canonicalInput], ["system_fleet_put_object", "mcp", '{"replicas":7}']);
  assert.equal((await t.f.decide(t.bob, requestId)).state, "approved");
  const held = await t.f.approvals.take(t.f.accountId, requestId);
  assert.ok(held);
  const recheck = async () => t.f.approvals.recheck(held, await t.f.callerOf(t.agent));
  await recheck();
  t.f.forbidden.add(t.bob.principalId);
  await assert.rejects(recheck(), { code: "APPROVAL_STALE" });
});

test("a rejection asks for no permission", async () => {
  await using t = await approved();
  const { requestId } = await t.f.open(t.agent, { demand: { ...APPROVE, holding: [STEWARD] }, input: "{}" });
  t.f.forbidden.add(t.ann.principalId);
  assert.equal((await t.f.decide(t.ann, requestId, "reject")).state, "denied");
});

test("the result is kept encrypted for the requester, the input is gone, and the expiry is sent", async () => {
  await using t = await approved();
  assert.ok(await t.f.spend(t.requestId));
  await t.settle({ state: "executed", result: RESULT });
  const row = await t.f.request(t.requestId);
  assert.deepEqual([row.state, row.held], ["executed", undefined]);
  assert.ok(row.result && !row.result.includes("replicas"));
  await assert.rejects(openResult(testCipher(), t.f.accountId, row), { code: "CIPHERTEXT_INVALID" });
  const at = new Date(t.f.clock.now.getTime() + 7 * 24 * HOUR);
  assert.deepEqual(t.f.sent.at(-1), { job: "expire", requestId: t.requestId, at });
  assert.equal((await t.f.events()).at(-1), "approval.executed");
});

test("the result is shown to the requester alone, until it is deleted", async () => {
  await using t = await approved();
  await t.f.spend(t.requestId);
  await t.settle({ state: "executed", result: RESULT });
  const show = (principalId: string) =>
    t.f.store.read(t.f.accountId, (read) =>
      showRequest(
        read.approvals,
        t.requestId,
        { principal: { id: principalId }, account: { profile: "team" } },
        t.f.clock.now,
        (request) => t.f.desk.openResult(t.f.accountId, request),
      ),
    );
  assert.deepEqual((await show(t.agent)).yours?.result, JSON.parse(RESULT));
  const others = await show(t.ann.principalId);
  assert.deepEqual([others.yours, others.state, others.decisions[0]?.person.name], [undefined, "executed", "Ann"]);
  const expire = () => t.f.store.transact(t.f.accountId, (tx) => expireRequest(tx, t.requestId, t.f.clock.now));
  t.f.later(7 * 24 * HOUR - 1);
  await expire();
  assert.ok((await show(t.agent)).yours?.result);
  t.f.later(1);
  await expire();
  assert.deepEqual((await show(t.agent)).yours, {});
});

test("a failure is told by code to everybody and in words to the requester", async () => {
  await using t = await approved();
  await t.f.spend(t.requestId);
  await t.settle({ state: "failed", code: "VERSION_CONFLICT", message: "somebody was faster" });
  const show = (principalId: string) =>
    t.f.store.read(t.f.accountId, (read) =>
      showRequest(
        read.approvals,
        t.requestId,
        { principal: { id: principalId }, account: { profile: "team" } },
        t.f.clock.now,
        async () => undefined,
      ),
    );
  const [mine, theirs] = [await show(t.agent), await show(t.ann.principalId)];
  assert.deepEqual(
    [mine.state, mine.errorCode, mine.yours],
    ["failed", "VERSION_CONFLICT", { message: "somebody was faster" }],
  );
  assert.deepEqual([theirs.state, theirs.errorCode, theirs.yours], ["failed", "VERSION_CONFLICT", undefined]);
  assert.equal((await t.f.events()).at(-1), "approval.failed");
});

test("an effect does not commit once its request was taken from it", async () => {
  await using t = await approved();
  const executed = { state: "executed", result: RESULT } as const;
  await assert.rejects(t.settle(executed), { code: "APPROVAL_STALE" }); // nothing was spent
  await t.f.spend(t.requestId);
  await t.f.sql("update approval_request set state = 'ambiguous' where id = $1", [t.requestId]);
  await assert.rejects(t.settle(executed), { code: "LANE_LOST" });
  await t.settle({ state: "failed", code: "TIMEOUT", message: "late" });
  assert.equal((await t.f.request(t.requestId)).state, "ambiguous");
});

test("a settled request is settled once", async () => {
  await using t = await approved();
  await t.f.spend(t.requestId);
  await t.settle({ state: "executed", result: RESULT });
  await t.settle({ state: "failed", code: "TIMEOUT", message: "late" });
  await assert.rejects(t.settle({ state: "executed", result: RESULT }), { code: "APPROVAL_STALE" });
  assert.equal((await t.f.events()).filter((type) => /executed|failed/.test(type)).length, 1);
});

for (const [what, act] of [
  ["is banned", ({ f, ann }) => f.ban(ann.principalId)],
  ["has the key revoked", ({ f, ann }) => f.revokeKey(ann)],
  [
    "may not decide any more",
    ({ f, ann }) => f.sql("update principal set roles = '{reader}' where id = $1", [ann.principalId]),
  ],
  [
    "did not sign what is kept",
    ({ f, bob }) =>
      f.sql(
        "update approval_decision d set envelope = o.envelope from approval_decision o where d.person_id <> $1 and o.person_id = $1",
        [bob.personId],
      ),
  ],
] as [string, (t: Awaited<ReturnType<typeof approved>>) => Promise<unknown>][]) {
  test(`at execution a decision does not count where its approver ${what}`, async () => {
    await using t = await approved(TWO_PERSON);
    await t.recheck();
    await act(t);
    await assert.rejects(t.recheck(), { code: "APPROVAL_STALE", message: /of the 2 approvals that it needs 1/ });
  });
}

test("at execution the permission asked for is still held", async () => {
  await using t = await approved({ ...APPROVE, holding: [STEWARD] });
  await t.recheck();
  await t.f.sql("update principal set roles = '{approver}' where id = $1", [t.ann.principalId]);
  await assert.rejects(t.recheck(), { code: "APPROVAL_STALE" });
});

test("a spare approval keeps nothing stale: the ban of somebody else does not matter", async () => {
  await using t = await approved();
  await t.f.ban(t.bob.principalId);
  await t.recheck();
});

test("a request is cancelled while it is open or approved, and not after", async () => {
  await using t = await approved();
  const open = await t.f.open(t.agent, { input: "{}" });
  assert.deepEqual(await t.f.cancel(open.requestId, t.agent), { requestId: open.requestId, state: "cancelled" });
  await assert.rejects(t.f.cancel(open.requestId, t.agent), { code: "APPROVAL_CANCELLED" });
  await assert.rejects(t.f.cancel(t.agent, t.agent), { code: "NOT_FOUND" });
  await t.f.cancel(t.requestId, t.ann.principalId);
  assert.equal(await t.f.spend(t.requestId), false);
  assert.equal(await t.take(), undefined);
});

test("of a cancellation and an execution at once exactly one happens", async () => {
  for (let round = 0; round < 5; round++) {
    await using t = await approved();
    const [spent, cancelled] = await Promise.all([
      t.f.spend(t.requestId),
      t.f.cancel(t.requestId, t.agent).then(
        () => true,
        (error: { code: string }) => {
          assert.equal(error.code, "APPROVAL_SPENT");
          return false;
        },
      ),
    ]);
    assert.notEqual(spent, cancelled);
  }
});

test("two executions at once: the grant is spent once", async () => {
  await using t = await approved();
  const spent = await Promise.all(Array.from({ length: 5 }, () => t.f.spend(t.requestId)));
  assert.equal(spent.filter(Boolean).length, 1);
  await assert.rejects(t.f.cancel(t.requestId, t.agent), { code: "APPROVAL_SPENT" });
});

test("silence is no: what is overdue is read as expired, and the job writes it down once", async () => {
  await using t = await approved();
  const open = await t.f.open(t.agent, { input: "{}" });
  const viewer = { principal: { id: t.agent }, account: { profile: "team" } } as const;
  const states = (state?: "open" | "approved" | "expired") =>
    t.f.store
      .read(t.f.accountId, (read) => listRequests(read.approvals, { state }, { limit: 10 }, viewer, t.f.clock.now))
      .then(({ items }) => items.map((item) => item.state));
  assert.deepEqual(await states(), ["open", "approved"]);
  t.f.later(24 * HOUR);
  assert.deepEqual(
    [await states(), await states("expired"), await states("open"), await states("approved")],
    [["expired", "expired"], ["expired", "expired"], [], []],
  );
  const expire = (requestId: string) =>
    t.f.store.transact(t.f.accountId, (tx) => expireRequest(tx, requestId, t.f.clock.now));
  for (const requestId of [open.requestId, t.requestId, open.requestId, t.agent]) await expire(requestId);
  for (const requestId of [open.requestId, t.requestId]) {
    const { state, errorCode, held, closedAt } = await t.f.request(requestId);
    assert.deepEqual([state, errorCode, held, closedAt], ["expired", "APPROVAL_EXPIRED", undefined, t.f.clock.now]);
  }
  assert.equal((await t.f.events()).filter((type) => type === "approval.expired").length, 2);
  await assert.rejects(t.f.cancel(t.requestId, t.agent), { code: "APPROVAL_EXPIRED" });
});

test("a job that comes early sends itself again for the right time", async () => {
  await using t = await approved();
  const open = await t.f.open(t.agent, { input: "{}" });
  await t.f.store.transact(t.f.accountId, (tx) => expireRequest(tx, open.requestId, t.f.clock.now));
  assert.equal((await t.f.request(open.requestId)).state, "open");
  assert.deepEqual(t.f.sent.at(-1), { job: "expire", requestId: open.requestId, at: open.approvalExpiresAt });
});

test("requests are listed newest first, page by page, by state, action and requester", async () => {
  await using t = await approved();
  const ids = [t.requestId];
  for (const n of [1, 2, 3]) {
    t.f.later(1);
    ids.unshift((await t.f.open(t.agent, { input: `{"n":${n}}` })).requestId);
  }
  t.f.later(1);
  const theirs = await t.f.open(t.bob.principalId, { action: "system_fleet_delete_object" });
  const viewer = { principal: { id: t.agent }, account: { profile: "team" } } as const;
  const list = (filter: Parameters<typeof listRequests>[1], page: { limit: number; cursor?: string } = { limit: 50 }) =>
    t.f.store.read(t.f.accountId, (read) => listRequests(read.approvals, filter, page, viewer, t.f.clock.now));
  const idsOf = async (filter: Parameters<typeof listRequests>[1]) => (await list(filter)).items.map(({ id }) => id);
  assert.deepEqual(await idsOf({}), [theirs.requestId, ...ids]);
  assert.deepEqual(await idsOf({ mine: true }), ids);
  assert.deepEqual(await idsOf({ mine: true, requesterId: t.bob.principalId }), []);
  assert.deepEqual(await idsOf({ requesterId: t.bob.principalId }), [theirs.requestId]);
  assert.deepEqual(await idsOf({ action: "system_fleet_delete_object" }), [theirs.requestId]);
  assert.deepEqual(await idsOf({ state: "approved" }), [t.requestId]);
  const first = await list({ mine: true }, { limit: 3 });
  const second = await list({ mine: true }, { limit: 3, cursor: first.next as string });
  assert.deepEqual(
    [...first.items, ...second.items].map(({ id }) => id),
    ids,
  );
  assert.equal(second.next, undefined);
  for (const cursor of ["x", Buffer.from('["x"]').toString("base64url"), Buffer.from("[1]").toString("base64url")]) {
    await assert.rejects(list({}, { limit: 3, cursor }), { code: "CURSOR_INVALID" });
  }
});
