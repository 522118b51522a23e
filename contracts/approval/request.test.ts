import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalize, digest } from "../formats/canonical-json.ts";
import { buildRequest, openRequest, parseRequest, peopleNeeded, type RequestPredicate } from "./request.ts";

const id = "0193a000-0000-7000-8000-000000000001";
const preview = canonicalize({
  headline: "Ann asks to change Template/web",
  changes: [{ field: "version", after: "2" }],
});
const predicate: RequestPredicate = {
  hub: "hub-1",
  account: "0193a000-0000-7000-8000-0000000000a0",
  action: "system_fleet_put_object",
  toolSchemaDigest: digest("schema"),
  inputCommitment: digest("input"),
  requester: { id: "0193a000-0000-7000-8000-0000000000b0", kind: "agent" },
  policyHash: digest("policy"),
  demand: { people: 2, holding: ["system.fleet.write"] },
  profile: "team",
  target: { type: "FleetObject", id: "Template/web", version: "1" },
  previewDigest: digest(preview),
  approvalExpiresAt: "2026-11-22T10:00:00.000Z",
  executionExpiresAt: "2026-11-22T11:00:00.000Z",
  nonce: digest("nonce"),
};

test("a request says everything it is bound to, and reads back as what was written", () => {
  const { text, digest: sha256 } = buildRequest(id, predicate);
  assert.equal(text, canonicalize(JSON.parse(text)));
  assert.deepEqual(parseRequest(text), { requestId: id, digest: sha256, predicate });
  const opened = openRequest(id, { statement: text, preview });
  assert.equal(opened.preview.headline, "Ann asks to change Template/web");
});

test("a target without a version stays without one", () => {
  const target = { type: "Account", id: predicate.account };
  assert.deepEqual(parseRequest(buildRequest(id, { ...predicate, target }).text).predicate.target, target);
});

test("each fact changes the digest that people sign", () => {
  const base = buildRequest(id, predicate).digest;
  const others: Partial<RequestPredicate>[] = [
    { hub: "hub-2" },
    { account: id },
    { action: "system_fleet_delete_object" },
    { toolSchemaDigest: digest("other") },
    { inputCommitment: digest("other") },
    { requester: { ...predicate.requester, kind: "service" } },
    { policyHash: digest("other") },
    { demand: { people: 1, holding: [] } },
    { profile: "solo" },
    { target: { ...predicate.target, version: "2" } },
    { previewDigest: digest("other") },
    { approvalExpiresAt: "2026-11-23T10:00:00.000Z" },
    { executionExpiresAt: "2026-11-23T10:00:00.000Z" },
    { nonce: digest("other") },
  ];
  assert.deepEqual(others.length, Object.keys(predicate).length);
  for (const other of others) assert.notEqual(buildRequest(id, { ...predicate, ...other }).digest, base);
});

test("who signs is protected from a preview, or a request, that belongs elsewhere", () => {
  const { text: statement } = buildRequest(id, predicate);
  const refused = { code: "ENVELOPE_INVALID" };
  assert.throws(() => openRequest(id, { statement, preview: preview.replace("2", "1") }), refused);
  assert.throws(() => openRequest(predicate.account, { statement, preview }), refused);
  assert.throws(() => parseRequest(statement.replace('"people":2', '"people":0')), refused);
  assert.throws(() => parseRequest(statement.replace("approval-request/0", "approval-demand/0")), refused);
  const elsewhere = statement.replace(`"sha256":"${predicate.inputCommitment}"`, `"sha256":"${digest("else")}"`);
  assert.throws(() => parseRequest(elsewhere), refused);
});

test("people needed: as many as demanded, and one for each permission", () => {
  assert.equal(peopleNeeded({ people: 1, holding: [] }), 1);
  assert.equal(peopleNeeded({ people: 1, holding: ["a", "b"] }), 2);
  assert.equal(peopleNeeded({ people: 2, holding: ["a"] }), 2);
});
