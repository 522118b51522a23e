import assert from "node:assert/strict";
import { test } from "node:test";
import { counts, exclusion, filled, isAgreed, needsInWords, type Rules, type Voice } from "./agreement.ts";

const team: Rules = { profile: "team", people: 1, holding: [], requesterKind: "agent", ownerPersonId: "owner" };
const two: Rules = { ...team, people: 2 };
const solo: Rules = { ...team, profile: "solo" };
const signed = (personId: string, ...holding: string[]): Voice => ({ personId, assurance: "signed", holding });
const vouched = (personId: string): Voice => ({ personId, assurance: "hub-attested", holding: [] });

test("approve: one person, who may be the owner of the agent that asks, not who asks", () => {
  assert.ok(isAgreed(team, [signed("ann")]));
  assert.ok(isAgreed(team, [signed("owner")]));
  assert.ok(!isAgreed({ ...team, requesterKind: "operator", requesterPersonId: "ann" }, [signed("ann")]));
  assert.ok(!isAgreed(team, []));
});

test("two-person: two of them, neither who asks nor the owner of the agent, each counted once", () => {
  assert.ok(isAgreed(two, [signed("ann"), signed("bob")]));
  assert.ok(!isAgreed(two, [signed("ann")]));
  assert.ok(!isAgreed(two, [signed("ann"), signed("ann")]));
  assert.ok(!isAgreed(two, [signed("ann"), signed("owner")]));
  assert.equal(exclusion(two, "owner"), "owner");
  assert.equal(exclusion({ ...two, requesterPersonId: "ann" }, "ann"), "requester");
});

test("what only the hub vouches for counts for one person in a team and nowhere else", () => {
  assert.ok(counts(team, vouched("ann")));
  assert.ok(!counts(two, vouched("ann")));
  assert.ok(!counts(solo, vouched("owner")));
  assert.ok(!isAgreed(two, [signed("ann"), vouched("bob")]));
});

test("solo: one signature is enough for everything, also of who asks; its permissions are still asked for", () => {
  const own: Rules = { ...solo, people: 2, requesterKind: "operator", requesterPersonId: "ann" };
  assert.ok(isAgreed(own, [signed("ann")]));
  assert.ok(!isAgreed({ ...own, holding: ["policy"] }, [signed("ann")]));
  assert.ok(isAgreed({ ...own, holding: ["policy"] }, [signed("ann", "policy")]));
});

test("each permission asks for an approver of its own, whatever the order they come in", () => {
  const rules: Rules = { ...two, holding: ["fleet", "policy"] };
  assert.ok(isAgreed(rules, [signed("ann", "fleet", "policy"), signed("bob", "fleet")]));
  assert.ok(isAgreed(rules, [signed("bob", "fleet"), signed("ann", "fleet", "policy")]));
  assert.ok(!isAgreed(rules, [signed("ann", "fleet"), signed("bob", "fleet")]));
  assert.equal(filled(rules, [signed("ann", "fleet"), signed("bob", "fleet")]), 1);
});

test("two people under one permission both hold it", () => {
  const rules: Rules = { ...two, holding: ["fleet"] };
  assert.ok(isAgreed(rules, [signed("ann", "fleet"), signed("bob", "fleet")]));
  assert.ok(!isAgreed(rules, [signed("ann", "fleet"), signed("bob")]));
});

test("the needs are told in words", () => {
  assert.equal(needsInWords(team), "one other person");
  assert.equal(needsInWords(two), "two people, not the owner of the agent that asks");
  assert.equal(needsInWords({ ...solo, requesterKind: "operator" }), "your own signature (solo)");
  assert.equal(
    needsInWords({ ...team, holding: ["system.policy.write"] }),
    "one other person holding system.policy.write",
  );
});
