import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../../contracts/approval/request.ts";
import { digest } from "../../contracts/formats/canonical-json.ts";
import { APPROVE, approvalFixture, STEWARD, TWO_PERSON } from "./approval-fixture.ts";

test("a request is bound to everything that people agree to, and holds its input encrypted", async () => {
  await using f = await approvalFixture();
  await f.addPerson("Ann");
  const owner = await f.addPerson("Owner");
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const asked = await f.ask(agent, { input: '{"token-name":"visible"}', runId: "run-1" });
  const pending = await f.store.transact(f.accountId, (tx) => f.approvals.open(tx, asked));
  assert.deepEqual([pending.merged, pending.needs], [false, "one other person"]);
  const row = await f.request(pending.requestId);
  const { predicate, digest: sha256 } = parseRequest(row.statement);
  assert.equal(sha256, row.statementDigest);
  assert.deepEqual(
    { ...predicate, nonce: "" },
    {
      hub: "hub-under-test",
      account: f.accountId,
      action: asked.action,
      toolSchemaDigest: asked.schemaDigest,
      inputCommitment: asked.inputCommitment,
      requester: { id: agent, kind: "agent" },
      policyHash: digest("{}"),
      demand: { people: 1, holding: [] },
      profile: "team",
      target: { type: "FleetObject", id: "Template/web", version: "1" },
      previewDigest: digest(row.preview),
      approvalExpiresAt: new Date(f.clock.now.getTime() + 24 * 3_600_000).toISOString(),
      executionExpiresAt: new Date(f.clock.now.getTime() + 25 * 3_600_000).toISOString(),
      nonce: "",
    },
  );
  const [stored] = await f.sql<{ all: string }>("select r::text as all from approval_request r");
  assert.ok(!stored?.all.includes("visible"));
  assert.deepEqual(f.sent, [{ job: "expire", requestId: row.id, at: row.approvalExpiresAt }]);
  assert.deepEqual(await f.events(), ["approval.requested"]);
});

test("identical open requests merge; another input, requester or action does not", async () => {
  await using f = await approvalFixture();
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const other = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const first = await f.open(agent);
  const again = await f.open(agent);
  assert.deepEqual([again.requestId, again.merged], [first.requestId, true]);
  const ids = [
    (await f.open(agent, { input: '{"replicas":6}' })).requestId,
    (await f.open(agent, { action: "system_fleet_delete_object" })).requestId,
    (await f.open(other)).requestId,
  ];
  assert.equal(new Set([first.requestId, ...ids]).size, 4);
});

test("two identical requests at once are one", async () => {
  await using f = await approvalFixture();
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const opened = await Promise.all(Array.from({ length: 5 }, () => f.open(agent)));
  assert.equal(new Set(opened.map(({ requestId }) => requestId)).size, 1);
  assert.equal(opened.filter(({ merged }) => !merged).length, 1);
  assert.equal((await f.sql("select from approval_request")).length, 1);
});

for (const [what, change] of [
  ["its target moved", { target: { type: "FleetObject", id: "Template/web", version: "2" } }],
  ["its preview differs", { preview: { headline: "something else", changes: [] } }],
  ["the tool changed", { schemaDigest: digest("new schema") }],
  ["more people are asked for", { demand: TWO_PERSON }],
] as const) {
  test(`where ${what}, the open request gives way to a new one`, async () => {
    await using f = await approvalFixture();
    await f.addPerson("Ann");
    await f.addPerson("Bob");
    const owner = await f.addPerson("Owner");
    const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
    const first = await f.open(agent);
    const second = await f.open(agent, change);
    assert.notEqual(second.requestId, first.requestId);
    const { state, errorCode, held } = await f.request(first.requestId);
    assert.deepEqual([state, errorCode, held], ["stale", "APPROVAL_STALE", undefined]);
    assert.deepEqual(await f.events(), ["approval.requested", "approval.stale", "approval.requested"]);
  });
}

test("open requests of a principal are capped, also where they come at once; decided ones do not count", async () => {
  await using f = await approvalFixture({ settings: { openPerPrincipal: 3 } });
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const other = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const opened = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => f.open(agent, { input: `{"n":${n}}` })));
  const refused = opened.filter((o) => o.status === "rejected").map((o) => (o.reason as { code: string }).code);
  assert.deepEqual(refused, ["APPROVAL_CAP_REACHED", "APPROVAL_CAP_REACHED"]);
  const [one] = opened.flatMap((o) => (o.status === "fulfilled" ? [o.value] : []));
  assert.ok(one);
  await f.open(other);
  await f.cancel(one.requestId, agent);
  assert.equal((await f.open(agent, { input: '{"n":9}' })).merged, false);
  await assert.rejects(f.open(agent, { input: '{"n":10}' }), { code: "APPROVAL_CAP_REACHED" });
});

test("an overdue request neither merges nor counts", async () => {
  await using f = await approvalFixture({ settings: { openPerPrincipal: 1 } });
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  const first = await f.open(agent);
  await assert.rejects(f.open(agent, { input: "{}" }), { code: "APPROVAL_CAP_REACHED" });
  f.later(25 * 3_600_000);
  const second = await f.open(agent);
  assert.deepEqual([second.merged, second.requestId === first.requestId], [false, false]);
  assert.equal((await f.request(first.requestId)).state, "expired");
});

test("in a team, too few people who could ever agree are told at once, with the way to invite", async () => {
  await using f = await approvalFixture();
  const owner = await f.addPerson("Owner");
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const missing = { code: "APPROVERS_MISSING", message: /npx countersign invite/ };
  await assert.rejects(f.open(owner.principalId), missing);
  await f.open(agent); // the owner may approve this one
  await assert.rejects(f.open(agent, { input: "{}", demand: TWO_PERSON }), missing);
  const ann = await f.addPerson("Ann");
  await f.addPrincipal("operator", ann.personId, ["approver"]); // the same person twice
  await f.addPerson("Reader", ["reader"]);
  await assert.rejects(f.open(agent, { input: "{}", demand: TWO_PERSON }), missing);
  const bob = await f.addPerson("Bob");
  await f.revokeKey(bob);
  await assert.rejects(f.open(agent, { input: "{}", demand: TWO_PERSON }), missing);
  const carl = await f.addPerson("Carl");
  await f.ban(carl.principalId);
  await assert.rejects(f.open(agent, { input: "{}", demand: TWO_PERSON }), missing);
  await f.addPerson("Dora");
  await f.open(agent, { input: "{}", demand: TWO_PERSON });
  const held = { ...APPROVE, holding: [STEWARD] };
  await assert.rejects(f.open(agent, { input: "[]", demand: held }), {
    code: "APPROVERS_MISSING",
    message: /system\.policy\.write/,
  });
  await f.addPerson("Eve", ["steward"]);
  await f.open(agent, { input: "[]", demand: held });
});

test("in solo the one person's signature is enough, and somebody has to be able to give it", async () => {
  await using f = await approvalFixture({ profile: "solo" });
  const ann = await f.addPerson("Ann");
  assert.equal((await f.open(ann.principalId, { demand: TWO_PERSON })).needs, "your own signature (solo)");
  await f.revokeKey(ann);
  await assert.rejects(f.open(ann.principalId, { input: "{}" }), { code: "APPROVERS_MISSING" });
});
