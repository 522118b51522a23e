import assert from "node:assert/strict";
import { test } from "node:test";
import { digest } from "../../contracts/formats/canonical-json.ts";
import { generateKeyPair } from "../../contracts/formats/ed25519.ts";
import { APPROVE, approvalFixture, STEWARD, TWO_PERSON } from "./approval-fixture.ts";

/** A team of Ann, Bob and the owner of the agent that asks. */
async function team(demand = APPROVE) {
  const f = await approvalFixture();
  const [owner, ann, bob] = [await f.addPerson("Owner"), await f.addPerson("Ann"), await f.addPerson("Bob")];
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const { requestId } = await f.open(agent, { demand });
  return { f, owner, ann, bob, agent, requestId, [Symbol.asyncDispose]: () => f[Symbol.asyncDispose]() };
}

test("one signed approval sends the execution, and the record keeps the envelope", async () => {
  await using t = await team();
  const taken = await t.f.decide(t.ann, t.requestId);
  assert.deepEqual([taken.state, taken.assurance, taken.counts], ["approved", "signed", true]);
  const [decision] = await t.f.store.read(t.f.accountId, (read) => read.approvals.decisions(t.requestId));
  assert.equal(decision?.keyId, t.ann.keyId);
  assert.equal(decision?.envelopeDigest, digest(decision?.envelope ?? ""));
  const request = await t.f.request(t.requestId);
  assert.equal(request.executionExpiresAt.getTime(), t.f.clock.now.getTime() + 3_600_000);
  assert.deepEqual(t.f.sent.slice(1), [
    { job: "execute", requestId: t.requestId },
    { job: "expire", requestId: t.requestId, at: request.executionExpiresAt },
  ]);
  assert.deepEqual(await t.f.events(), ["approval.requested", "approval.decided", "approval.approved"]);
});

test("the envelope may come as text", async () => {
  await using t = await team();
  const envelope = JSON.stringify(await t.f.sign(t.ann, t.requestId));
  assert.equal((await t.f.decideAs(t.ann.principalId, { requestId: t.requestId, envelope })).state, "approved");
});

const refusals: [string, string, (t: Awaited<ReturnType<typeof team>>) => Promise<unknown>][] = [
  [
    "a key that is not enrolled",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) =>
      f.decideAs(ann.principalId, {
        requestId,
        envelope: await f.sign(ann, requestId, "approve", { key: generateKeyPair() }),
      }),
  ],
  [
    "another person's key",
    "DECISION_INVALID",
    async ({ f, ann, bob, requestId }) =>
      f.decideAs(ann.principalId, { requestId, envelope: await f.sign(ann, requestId, "approve", { key: bob.key }) }),
  ],
  [
    "another person's decision",
    "DECISION_INVALID",
    async ({ f, ann, bob, requestId }) =>
      f.decideAs(ann.principalId, { requestId, envelope: await f.sign(bob, requestId) }),
  ],
  [
    "a revoked key",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => {
      await f.revokeKey(ann);
      return f.decide(ann, requestId);
    },
  ],
  [
    "a decision on another request",
    "DECISION_INVALID",
    async ({ f, ann, agent, requestId }) => {
      const other = await f.open(agent, { input: "{}" });
      return f.decideAs(ann.principalId, { requestId, envelope: await f.sign(ann, other.requestId) });
    },
  ],
  [
    "another request's name over this one's digest",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) =>
      f.decideAs(ann.principalId, { requestId, envelope: await f.sign(ann, requestId, "approve", { about: t7 }) }),
  ],
  [
    "another preview",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) =>
      f.decideAs(ann.principalId, {
        requestId,
        envelope: await f.sign(ann, requestId, "approve", { previewDigest: digest("x") }),
      }),
  ],
  [
    "an altered predicate",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => {
      const envelope = await f.sign(ann, requestId, "reject");
      const payload = Buffer.from(envelope.payload, "base64").toString().replace('"reject"', '"approve"');
      return f.decideAs(ann.principalId, {
        requestId,
        envelope: { ...envelope, payload: Buffer.from(payload).toString("base64") },
      });
    },
  ],
  [
    "a rejection sent as an approval",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) =>
      f.decideAs(ann.principalId, { requestId, decision: "approve", envelope: await f.sign(ann, requestId, "reject") }),
  ],
  [
    "another reason than was signed",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) =>
      f.decideAs(ann.principalId, {
        requestId,
        decision: "reject",
        reason: "maybe",
        envelope: await f.sign(ann, requestId, "reject"),
      }),
  ],
  [
    "a date in the future",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => {
      const decidedAt = new Date(f.clock.now.getTime() + 600_000).toISOString();
      return f.decideAs(ann.principalId, {
        requestId,
        envelope: await f.sign(ann, requestId, "approve", { decidedAt }),
      });
    },
  ],
  [
    "a date before the request",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => {
      const decidedAt = new Date(f.clock.now.getTime() - 600_000).toISOString();
      return f.decideAs(ann.principalId, {
        requestId,
        envelope: await f.sign(ann, requestId, "approve", { decidedAt }),
      });
    },
  ],
  [
    "no envelope but text",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => f.decideAs(ann.principalId, { requestId, envelope: "yes" }),
  ],
  [
    "a rejection without a reason",
    "DECISION_INVALID",
    async ({ f, ann, requestId }) => f.decideAs(ann.principalId, { requestId, decision: "reject" }),
  ],
  [
    "an agent, with its owner's signature",
    "DECISION_NOT_ALLOWED",
    async ({ f, owner, agent, requestId }) =>
      f.decideAs(agent, { requestId, envelope: await f.sign(owner, requestId) }),
  ],
  [
    "a service",
    "DECISION_NOT_ALLOWED",
    async ({ f, requestId }) => f.decideAs(await f.addPrincipal("service", undefined, ["agent"]), { requestId }),
  ],
  ["an unknown request", "NOT_FOUND", async ({ f, ann }) => f.decideAs(ann.principalId, { requestId: t7 })],
  [
    "a request that expired",
    "APPROVAL_EXPIRED",
    async ({ f, ann, requestId }) => {
      f.later(24 * 3_600_000);
      return f.decide(ann, requestId);
    },
  ],
  [
    "a request that was cancelled",
    "APPROVAL_CANCELLED",
    async ({ f, ann, agent, requestId }) => {
      await f.cancel(requestId, agent);
      return f.decide(ann, requestId);
    },
  ],
  [
    "a request that was decided",
    "APPROVAL_DECIDED",
    async ({ f, ann, bob, requestId }) => {
      const envelope = await f.sign(ann, requestId);
      await f.decide(bob, requestId);
      return f.decideAs(ann.principalId, { requestId, envelope });
    },
  ],
];
const t7 = "0193a000-0000-7000-8000-00000000beef";

for (const [what, code, act] of refusals) {
  test(`a decision is refused: ${what}`, async () => {
    await using t = await team();
    const before = await t.f.sql("select id from approval_decision where person_id = $1", [t.ann.personId]);
    await assert.rejects(act(t), { code });
    assert.deepEqual(await t.f.sql("select id from approval_decision where person_id = $1", [t.ann.personId]), before);
  });
}

test("every refusal has its accepting twin: the same team, request and moment, rightly signed", async () => {
  await using t = await team();
  t.f.later(24 * 3_600_000 - 1);
  assert.equal((await t.f.decide(t.ann, t.requestId)).state, "approved");
});

test("whoever asks does not decide, under whatever principal; another person does", async () => {
  await using f = await approvalFixture();
  const [ann, bob] = [await f.addPerson("Ann"), await f.addPerson("Bob")];
  const second = await f.addPrincipal("operator", ann.personId, ["approver"]);
  const { requestId } = await f.open(ann.principalId);
  await assert.rejects(f.decide(ann, requestId), { code: "DECISION_NOT_ALLOWED" });
  await assert.rejects(f.decideAs(second, { requestId, envelope: await f.sign(ann, requestId) }), {
    code: "DECISION_NOT_ALLOWED",
  });
  await assert.rejects(f.decideAs(second, { requestId, decision: "reject", reason: "no" }), {
    code: "DECISION_NOT_ALLOWED",
  });
  assert.equal((await f.decide(bob, requestId)).state, "approved");
});

test("an agent's owner may approve what one person approves, and not what two people do", async () => {
  await using one = await team();
  assert.equal((await one.f.decide(one.owner, one.requestId)).state, "approved");
  await using two = await team(TWO_PERSON);
  await assert.rejects(two.f.decide(two.owner, two.requestId), { code: "DECISION_NOT_ALLOWED" });
});

test("two-person takes two people; one person as two principals is one", async () => {
  await using t = await team(TWO_PERSON);
  const second = await t.f.addPrincipal("operator", t.ann.personId, ["approver"]);
  const first = await t.f.decide(t.ann, t.requestId);
  assert.deepEqual([first.state, first.approvals, first.needed], ["open", 1, 2]);
  const again = { requestId: t.requestId, envelope: await t.f.sign(t.ann, t.requestId) };
  await assert.rejects(t.f.decideAs(t.ann.principalId, again), { code: "APPROVAL_DECIDED" });
  await assert.rejects(t.f.decideAs(second, again), { code: "APPROVAL_DECIDED" });
  assert.equal((await t.f.request(t.requestId)).state, "open");
  assert.equal((await t.f.decide(t.bob, t.requestId)).state, "approved");
});

test("two last approvals at once: both people are heard, one execution is sent", async () => {
  await using t = await team(TWO_PERSON);
  const taken = await Promise.all([t.f.decide(t.ann, t.requestId), t.f.decide(t.bob, t.requestId)]);
  assert.deepEqual(taken.map(({ state }) => state).sort(), ["approved", "open"]);
  assert.equal(t.f.sent.filter(({ job }) => job === "execute").length, 1);
});

test("where one approval is needed, of two at once one is too late", async () => {
  await using t = await team();
  const taken = await Promise.allSettled([t.f.decide(t.ann, t.requestId), t.f.decide(t.bob, t.requestId)]);
  assert.deepEqual(
    taken.map((o) => (o.status === "fulfilled" ? o.value.state : (o.reason as { code: string }).code)).sort(),
    ["APPROVAL_DECIDED", "approved"],
  );
  assert.equal(t.f.sent.filter(({ job }) => job === "execute").length, 1);
});

test("one person twice at once is one", async () => {
  await using t = await team(TWO_PERSON);
  const envelope = await t.f.sign(t.ann, t.requestId);
  const twice = [1, 2].map(() => t.f.decideAs(t.ann.principalId, { requestId: t.requestId, envelope }));
  const codes = (await Promise.allSettled(twice)).map((o) =>
    o.status === "rejected" ? (o.reason as { code: string }).code : "taken",
  );
  assert.deepEqual(codes.sort(), ["APPROVAL_DECIDED", "taken"]);
});

test("one veto ends it, signed or not, also after an approval", async () => {
  for (const signed of [true, false]) {
    await using t = await team(TWO_PERSON);
    await t.f.decide(t.ann, t.requestId);
    const envelope = signed ? { envelope: await t.f.sign(t.bob, t.requestId, "reject") } : { reason: "not now" };
    const taken = await t.f.decideAs(t.bob.principalId, { requestId: t.requestId, decision: "reject", ...envelope });
    assert.equal(taken.state, "denied");
    const request = await t.f.request(t.requestId);
    assert.deepEqual([request.state, request.errorCode, request.held], ["denied", "APPROVAL_DENIED", undefined]);
    assert.match(request.errorMessage ?? "", /not now/);
    assert.ok(!t.f.sent.some(({ job }) => job === "execute"));
    await assert.rejects(t.f.decide(t.owner, t.requestId), { code: "APPROVAL_DECIDED" });
  }
});

test("without a signature an approval counts for one other person in a team", async () => {
  await using t = await team();
  const taken = await t.f.decideAs(t.ann.principalId, { requestId: t.requestId });
  assert.deepEqual([taken.state, taken.assurance, taken.counts], ["approved", "hub-attested", true]);
});

test("without a signature an approval never counts for two people; a signature replaces it", async () => {
  await using t = await team(TWO_PERSON);
  for (const person of [t.ann, t.bob]) {
    const taken = await t.f.decideAs(person.principalId, { requestId: t.requestId });
    assert.deepEqual([taken.state, taken.assurance, taken.counts, taken.approvals], ["open", "hub-attested", false, 0]);
  }
  await assert.rejects(t.f.decideAs(t.ann.principalId, { requestId: t.requestId }), { code: "APPROVAL_DECIDED" });
  assert.deepEqual(
    [(await t.f.decide(t.ann, t.requestId)).state, (await t.f.decide(t.bob, t.requestId)).state],
    ["open", "approved"],
  );
});

test("in solo one's own signature is enough for two-person, and nothing less is", async () => {
  await using f = await approvalFixture({ profile: "solo" });
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", ann.personId, ["agent"]);
  for (const requester of [ann.principalId, agent]) {
    const { requestId } = await f.open(requester, { demand: TWO_PERSON });
    const vouched = await f.decideAs(ann.principalId, { requestId });
    assert.deepEqual([vouched.state, vouched.counts], ["open", false]);
    await assert.rejects(f.decideAs(agent, { requestId, envelope: await f.sign(ann, requestId) }), {
      code: "DECISION_NOT_ALLOWED",
    });
    assert.equal((await f.decide(ann, requestId)).state, "approved");
    const held = await f.approvals.take(f.accountId, requestId);
    assert.deepEqual([held?.approval.profile, held?.approval.demand], ["solo", "two-person"]);
  }
});

test("a solo request follows the rules of a team once the account is one", async () => {
  await using f = await approvalFixture({ profile: "solo" });
  const ann = await f.addPerson("Ann");
  const { requestId } = await f.open(ann.principalId);
  await f.sql("update account set profile = 'team'");
  await assert.rejects(f.decide(ann, requestId), { code: "DECISION_NOT_ALLOWED" });
  assert.equal((await f.decide(await f.addPerson("Bob"), requestId)).state, "approved");
});

test("where a permission is asked for, who does not hold it is told, and who does is heard", async () => {
  await using f = await approvalFixture();
  const [owner, ann, eve] = [
    await f.addPerson("Owner"),
    await f.addPerson("Ann"),
    await f.addPerson("Eve", ["steward"]),
  ];
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const { requestId } = await f.open(agent, { demand: { ...APPROVE, holding: [STEWARD] } });
  await assert.rejects(f.decide(ann, requestId), { code: "DECISION_NOT_ALLOWED", message: /system\.policy\.write/ });
  const vouched = await f.decideAs(ann.principalId, { requestId });
  assert.equal(vouched.counts, false);
  assert.equal((await f.decide(eve, requestId)).state, "approved");
});
