/**
 * Decisions that do not count, over the wire: each is refused with its code, recorded, and leaves the request as it was.
 * In the end the same request is approved by those who may, and carried out once.
 */
import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { after, before, it } from "node:test";
import { v7 } from "uuid";
import { AGENT } from "../cli/context.ts";
import { buildDecision, type DecisionPredicate } from "../contracts/approval/decision.ts";
import { openRequest } from "../contracts/approval/request.ts";
import { requestDetail } from "../contracts/approval/request-view.ts";
import { type Envelope, signEnvelope } from "../contracts/formats/dsse.ts";
import { generateKeyPair, type KeyPair } from "../contracts/formats/ed25519.ts";
import { ask, eventually, moduleNamed, policyOf, settledRequest, TestHubs, type TestPerson } from "./test-hub.ts";
import { type Expected, Wire } from "./wire.fixture.ts";

const PUT = "system_fleet_put_object";
const DELETE = "system_fleet_delete_object";
const DECIDE = "system_approval_decide_request";

let hubs: TestHubs;
let wire: Wire;
let ben: TestPerson;
let cleo: TestPerson;
/** A deletion that Ada's agent asks for: two people have to agree, and Ada is not one of them. */
let request: string;
/** The same for another object. */
let other: string;

before(async () => {
  hubs = await TestHubs.open();
  const hub = await hubs.start();
  wire = new Wire(hubs, hub);
  const { ada } = hubs;
  const loose = policyOf(PUT, "auto");
  const two = { approve: 2, holding: "system.approval.decide" };
  const rule = { id: "test/two", why: "What is deleted is gone.", actions: [DELETE], outcome: two };
  const document = { ...loose, intervention: { rules: [...loose.intervention.rules, rule] } };
  await ada.run(hub, "system_policy_put", { document, baseVersion: 1 });
  ben = await hubs.join(hub, "Ben");
  cleo = await hubs.join(hub, "Cleo");
  await ada.run(hub, "system_identity_set_profile", { profile: "team" });
  request = await askToDelete("wanted");
  other = await askToDelete("another");
});
after(() => hubs[Symbol.asyncDispose]());

async function askToDelete(name: string): Promise<string> {
  const agent = hubs.ada.agent(wire.hub);
  await agent.done(PUT, { object: moduleNamed(name) });
  return ask(agent, DELETE, { kind: "Module", name, expectedVersion: 1 });
}

function keyOf(person: TestPerson): KeyPair {
  const key = person.folder.signingKey();
  assert.ok(key);
  return key;
}

async function personIdOf(person: TestPerson): Promise<string> {
  const { output } = await person.operator(wire.hub).done("system_identity_whoami");
  return (output.principal as { person: { id: string } }).person.id;
}

interface Deviation {
  readonly key?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly about?: string;
  readonly says?: Partial<DecisionPredicate>;
}

/** This person's signed approval of the request, unless it deviates. */
async function approvalBy(
  person: TestPerson,
  { key = keyOf(person), about = request, says = {} }: Deviation = {},
): Promise<Envelope> {
  const { output } = await person.operator(wire.hub).done("system_approval_get_request", { requestId: about });
  const { digest, predicate } = openRequest(about, requestDetail.parse(output));
  const payload = buildDecision(about, {
    decision: "approve",
    personId: await personIdOf(person),
    decidedAt: new Date().toISOString(),
    previewDigest: predicate.previewDigest,
    requestDigest: digest,
    ...says,
  });
  return signEnvelope(payload, key);
}

/** Sent by this person's operator, and refused. */
function refused(
  what: string,
  by: TestPerson,
  input: { envelope?: object; requestId?: string; decision?: string; token?: string; reason?: string },
  expected: Expected,
) {
  const { token = by.token(), requestId = request, decision = "approve", ...rest } = input;
  return wire.refused(what, DECIDE, { token, body: { requestId, decision, ...rest } }, expected);
}

const INVALID = { code: "DECISION_INVALID" };
const MINUTE = 60_000;

it("signed with a wrong key", async () => {
  await refused("Cleo's key", ben, { envelope: await approvalBy(ben, { key: keyOf(cleo) }) }, INVALID);
  await refused("nobody's key", ben, { envelope: await approvalBy(ben, { key: generateKeyPair() }) }, INVALID);
  await refused("Cleo's decision", ben, { envelope: await approvalBy(cleo) }, INVALID);
  const says = { personId: await personIdOf(cleo) };
  await refused("in Cleo's name", ben, { envelope: await approvalBy(ben, { says }) }, INVALID);
});

it("signed for something else", async () => {
  await refused("another request", ben, { envelope: await approvalBy(ben, { about: other }) }, INVALID);
  const forms: Readonly<Record<string, Partial<DecisionPredicate>>> = {
    "another preview": { previewDigest: "0".repeat(64) },
    "another statement": { requestDigest: "0".repeat(64) },
    "the other way": { decision: "reject", reason: "no" },
    tomorrow: { decidedAt: new Date(Date.now() + 24 * 60 * MINUTE).toISOString() },
    "before it was asked": { decidedAt: new Date(Date.now() - 24 * 60 * MINUTE).toISOString() },
  };
  for (const [what, says] of Object.entries(forms)) {
    await refused(what, ben, { envelope: await approvalBy(ben, { says }) }, INVALID);
  }
});

it("changed after it was signed, or no envelope at all", async () => {
  const envelope = await approvalBy(ben);
  const payload = Buffer.from(envelope.payload, "base64").toString().replace('"approve"', '"reject"');
  const changed = { ...envelope, payload: Buffer.from(payload).toString("base64") };
  await refused("changed", ben, { envelope: changed, decision: "reject" }, INVALID);
  const [signature] = envelope.signatures;
  for (const signatures of [[], [signature, signature]])
    await refused(`${signatures.length} signatures`, ben, { envelope: { ...envelope, signatures } }, INVALID);
  await refused("a veto without a reason", ben, { decision: "reject" }, { ...INVALID, path: "reason" });
});

it("of the agent that asks, its owner, or whoever asks", async () => {
  const token = hubs.ada.token(AGENT);
  await refused("the agent", hubs.ada, { token }, { code: "FORBIDDEN" });
  await refused(
    "the agent with its owner's signature",
    hubs.ada,
    { token, envelope: await approvalBy(hubs.ada) },
    { code: "FORBIDDEN" },
  );
  const refusal = { code: "DECISION_NOT_ALLOWED" };
  await refused("its owner", hubs.ada, { envelope: await approvalBy(hubs.ada) }, refusal);
  const service = { kind: "service", name: "asked for by Ben", roles: ["reader"] };
  const own = await ask(ben.operator(wire.hub), "system_identity_create_principal", service);
  await refused("who asks", ben, { requestId: own, envelope: await approvalBy(ben, { about: own }) }, refusal);
  assert.equal((await cleo.decide(wire.hub, own)).state, "approved");
});

it("of one person twice, under one principal or two", async () => {
  const second = await secondPrincipal(ben, "Ben on the road");
  assert.equal((await ben.decide(wire.hub, request)).state, "open");
  const decided = { code: "APPROVAL_DECIDED" };
  await refused("again", ben, { envelope: await approvalBy(ben) }, decided);
  await refused("by the second principal", ben, { token: second, envelope: await approvalBy(ben) }, decided);
  await refused("by its word alone", ben, { token: second }, decided);
});

/** Another operator of the same person, made and given a token with the approval of the others. */
async function secondPrincipal(person: TestPerson, name: string): Promise<string> {
  const agreed = async (action: string, input: unknown) => {
    const client = hubs.ada.operator(wire.hub);
    const requestId = await ask(client, action, input);
    await cleo.decide(wire.hub, requestId);
    const { state, yours } = await settledRequest(client, requestId);
    assert.equal(state, "executed");
    assert.ok(yours);
    const { output } = yours.result as { output: Record<string, unknown> };
    return output;
  };
  const asked = { kind: "operator", name, roles: ["admin"], personId: await personIdOf(person) };
  const { principal } = await agreed("system_identity_create_principal", asked);
  const { id: principalId } = principal as { id: string };
  const { claimId } = await agreed("system_identity_issue_token", { principalId, note: "for the road" });
  return String((await person.operator(wire.hub).done("system_identity_claim_secret", { claimId })).output.secret);
}

it("that only the hub vouches for is taken, and does not count for two people", async () => {
  const { output } = await cleo.operator(wire.hub).done(DECIDE, { requestId: request, decision: "approve" });
  assert.deepEqual(
    [output.assurance, output.counts, output.state, output.approvals],
    ["hub-attested", false, "open", 1],
  );
});

it("after its time, after a veto, after it was withdrawn", async () => {
  const expired = await askToDelete("too-late");
  const late = await approvalBy(ben, { about: expired });
  await hubs.sql("update approval_request set approval_expires_at = now() - interval '1 second' where id = $1", [
    expired,
  ]);
  await refused("after its time", ben, { requestId: expired, envelope: late }, { code: "APPROVAL_EXPIRED" });

  const vetoed = await approvalBy(ben, { about: other });
  assert.equal((await cleo.decide(wire.hub, other, "reject", "we need it")).state, "denied");
  await refused("after a veto", ben, { requestId: other, envelope: vetoed }, { code: "APPROVAL_DECIDED" });

  const withdrawn = await askToDelete("withdrawn");
  const useless = await approvalBy(ben, { about: withdrawn });
  await hubs.ada.agent(wire.hub).done("system_approval_cancel_request", { requestId: withdrawn });
  await refused("withdrawn", ben, { requestId: withdrawn, envelope: useless }, { code: "APPROVAL_CANCELLED" });

  await refused(
    "never asked for",
    ben,
    { requestId: v7(), envelope: useless },
    { code: "NOT_FOUND", path: "requestId" },
  );
});

it("of the second person counts after all that, and the call is carried out once", async () => {
  const agent = hubs.ada.agent(wire.hub);
  assert.equal((await cleo.decide(wire.hub, request)).state, "approved");
  const { state, executionCallId, decisions } = await settledRequest(agent, request);
  assert.deepEqual([state, decisions.map(({ assurance }) => assurance)], ["executed", ["signed", "signed"]]);
  const codes = await eventually("outcome of the call", async () => {
    // the request is executed with the effect, the receipt follows it
    const text = "select code from receipt where call_id = $1 order by sequence";
    const receipts = await hubs.sql<{ code: string }>(text, [executionCallId]);
    return receipts.length > 1 ? receipts.map(({ code }) => code) : undefined;
  });
  assert.deepEqual(codes, ["PENDING", "OK"]);
  await assert.rejects(agent.done("system_fleet_get_object", { kind: "Module", name: "wanted" }), {
    code: "NOT_FOUND",
  });
  assert.equal((await agent.done("system_fleet_get_object", { kind: "Module", name: "another" })).status, "done");
  await refused("once more", ben, { envelope: await approvalBy(ben) }, { code: "APPROVAL_DECIDED" });
  const { output } = await ben.operator(wire.hub).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
});
