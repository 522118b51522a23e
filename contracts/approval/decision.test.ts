import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalize, digest } from "../formats/canonical-json.ts";
import { type Envelope, signEnvelope } from "../formats/dsse.ts";
import { generateKeyPair, keyId, publicKeyToDer } from "../formats/ed25519.ts";
import { buildStatement, statementBytes } from "../formats/statement.ts";
import type { PersonKey } from "../identity/person-key.ts";
import { buildDecision, DECISION_PREDICATE_TYPE, type DecisionPredicate, verifyDecision } from "./decision.ts";
import { requestSubject } from "./request.ts";

const key = generateKeyPair();
const enrolled: PersonKey = {
  keyId: keyId(key.publicKey),
  algorithm: "ed25519",
  publicKey: publicKeyToDer(key.publicKey),
};
const now = new Date("2026-11-21T10:00:00.000Z");
const when = { from: now, until: now, now };
const requestId = "0193a000-0000-7000-8000-000000000001";
const predicate: DecisionPredicate = {
  decision: "approve",
  personId: "0193a000-0000-7000-8000-0000000000aa",
  decidedAt: "2026-11-21T10:00:00.000Z",
  previewDigest: digest("preview"),
  requestDigest: digest("request"),
};
const expected = {
  requestId,
  requestDigest: predicate.requestDigest,
  previewDigest: predicate.previewDigest,
  personId: predicate.personId,
  decision: "approve",
} as const;

const signed = (change: Partial<DecisionPredicate> = {}, id = requestId): Envelope =>
  signEnvelope(buildDecision(id, { ...predicate, ...change }), key);

test("what the builder makes and the person signs is what verifies", async () => {
  assert.deepEqual(await verifyDecision(signed(), enrolled, expected, when), predicate);
  const rejection = signed({ decision: "reject", reason: "not on a Friday" });
  const verified = await verifyDecision(rejection, enrolled, { ...expected, decision: "reject" }, when);
  assert.equal(verified.reason, "not on a Friday");
});

test("the statement is canonical in-toto about the request", () => {
  const statement = JSON.parse(buildDecision(requestId, predicate).toString());
  assert.equal(buildDecision(requestId, predicate).toString(), canonicalize(statement));
  assert.deepEqual(statement.subject, [
    { name: `approval-request/${requestId}`, digest: { sha256: predicate.requestDigest } },
  ]);
  assert.equal(statement.predicateType, "https://countersign.dev/approval-decision/v1");
});

const loose = JSON.stringify({
  ...buildStatement(
    [{ name: requestSubject(requestId), digest: { sha256: predicate.requestDigest } }],
    DECISION_PREDICATE_TYPE,
    { ...predicate },
  ),
});
const twoSubjects = statementBytes(
  buildStatement(
    [
      { name: requestSubject(requestId), digest: { sha256: predicate.requestDigest } },
      { name: "approval-request/another", digest: { sha256: predicate.requestDigest } },
    ],
    DECISION_PREDICATE_TYPE,
    { ...predicate },
  ),
);
const otherMeaning = statementBytes(
  buildStatement(
    [{ name: requestSubject(requestId), digest: { sha256: predicate.requestDigest } }],
    "https://countersign.dev/approval-request/v1",
    { ...predicate },
  ),
);
const altered = (): Envelope => {
  const envelope = signed({ decision: "reject", reason: "no" });
  const payload = Buffer.from(envelope.payload, "base64").toString().replace('"reject"', '"approve"');
  return { ...envelope, payload: Buffer.from(payload).toString("base64") };
};

for (const [what, envelope, path] of [
  ["another request", signed({}, "0193a000-0000-7000-8000-000000000002"), "envelope.subject"],
  ["another version of the request", signed({ requestDigest: digest("older") }), "envelope.predicate.requestDigest"],
  ["another preview", signed({ previewDigest: digest("prettier") }), "envelope.predicate.previewDigest"],
  ["another person", signed({ personId: requestId }), "envelope.predicate.personId"],
  ["the opposite word", signed({ decision: "reject", reason: "no" }), "envelope.predicate.decision"],
  ["a payload that was altered after signing", altered(), "envelope.signatures[0].sig"],
  ["a statement that is not canonical", signEnvelope(Buffer.from(loose), key), "envelope.payload"],
  ["a second subject", signEnvelope(twoSubjects, key), "envelope.payload"],
  ["a statement of another meaning", signEnvelope(otherMeaning, key), "envelope.predicateType"],
  ["no statement at all", signEnvelope(Buffer.from("approve"), key), "envelope"],
  [
    "another type of payload",
    signEnvelope(buildDecision(requestId, predicate), key, "text/plain"),
    "envelope.payloadType",
  ],
  ["another key", signEnvelope(buildDecision(requestId, predicate), generateKeyPair()), "envelope.signatures[0].keyid"],
  [
    "two signatures",
    { ...signed(), signatures: [...signed().signatures, ...signed().signatures] },
    "envelope.signatures",
  ],
  ["no envelope", "approve", "envelope"],
] as const) {
  test(`a decision with ${what} is refused, and says what is wrong`, async () => {
    await assert.rejects(verifyDecision(envelope, enrolled, expected, when), { code: "DECISION_INVALID", path });
  });
}

test("a reason of nothing, or without end, is not built", () => {
  assert.throws(() => buildDecision(requestId, { ...predicate, reason: "" }));
  assert.throws(() => buildDecision(requestId, { ...predicate, reason: "x".repeat(501) }));
  assert.ok(buildDecision(requestId, { ...predicate, reason: "x".repeat(500) }));
});
