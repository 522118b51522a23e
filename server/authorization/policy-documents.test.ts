import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { canonicalize, digest, type Json } from "../../contracts/formats/canonical-json.ts";
import { HubError } from "../errors.ts";
import { cedarSchema } from "./cedar-schema.ts";
import { allActions, hubActions } from "./fixtures/actions.ts";
import { policy, policyDocument } from "./fixtures/requests.ts";
import { PolicyDocuments } from "./policy-documents.ts";

const schema = cedarSchema(allActions);
const kept = policyDocument(policy("permit", "kept"));
const stored = (document: object) => {
  const text = canonicalize(document as Json);
  return { text, hash: digest(text) };
};
function documents(t: TestContext, vocabulary = schema, limits = {}) {
  const opened = new PolicyDocuments(vocabulary, limits);
  t.after(() => opened.close());
  return opened;
}

test("an accepted document comes with its canonical text, its hash and its outline", async (t) => {
  const { problems, accepted, compiled } = await documents(t).check(kept);
  const { text, hash } = stored(kept);
  assert.deepEqual(problems, []);
  assert.deepEqual([accepted?.canonical, accepted?.hash, compiled?.policyHash], [text, hash, hash]);
  assert.deepEqual(
    accepted?.outline.policies.map(({ id, why }) => [id, why]),
    [["kept", "because of kept"]],
  );
});

test("every problem of a document is told with its place", async (t) => {
  const opened = documents(t);
  const problems = async (document: unknown) =>
    (await opened.check(document)).problems.map(({ path, line }) => [path, line]);
  assert.deepEqual(await problems(kept), []);
  assert.deepEqual(await problems("text"), [["", undefined]]);
  assert.deepEqual(await problems({ ...kept, extra: 1 }), [["", undefined]]);
  assert.deepEqual(await problems({ ...kept, authorization: { cedar: "\ud800" } }), [
    ["authorization.cedar", undefined],
  ]);
  const rule = { id: "r", why: "w", actions: ["system.flet"], outcome: "confirm" };
  const both = { ...kept, authorization: { cedar: "\npermit" }, intervention: { rules: [rule] } };
  assert.deepEqual(await problems(both), [
    ["authorization.cedar", 2],
    ["intervention.rules[0].actions[0]", undefined],
  ]);
  const twice = {
    ...kept,
    intervention: {
      rules: [
        { ...rule, actions: ["system.fleet"] },
        { ...rule, actions: ["system.fleet"] },
      ],
    },
  };
  assert.deepEqual(await problems(twice), [["intervention.rules[1].id", undefined]]);
});

test("a document that takes too long has that problem", async (t) => {
  const opened = documents(t, schema, { timeMs: 0 });
  const { problems, accepted } = await opened.check(kept);
  assert.equal(accepted, undefined);
  assert.match(problems[0]?.message ?? "", /longer than 0 ms/);
});

test("the document in force is read once, however many ask", async (t) => {
  const opened = documents(t);
  const { text, hash } = stored(kept);
  let reads = 0;
  const read = async () => {
    reads++;
    return text;
  };
  const [first, second] = await Promise.all([opened.own(hash, read), opened.own(hash, read)]);
  assert.equal(first, second);
  assert.equal(await opened.own(hash, read), first);
  assert.equal(reads, 1);
});

test("a text that is not the one in force does not count", async (t) => {
  const opened = documents(t);
  const { text, hash } = stored(kept);
  const changed = text.replace("permit (", "permit  (");
  await assert.rejects(
    opened.own(hash, async () => changed),
    { code: "POLICY_FAILED" },
  );
  await assert.rejects(
    opened.own(hash, async () => text),
    { code: "POLICY_FAILED" },
  ); // remembered
  assert.equal((await documents(t).own(hash, async () => text)).policyHash, hash);
});

test("a document that this hub's actions do not know is refused, by name", async (t) => {
  const { text, hash } = stored(kept);
  await assert.rejects(
    documents(t, cedarSchema(hubActions)).own(hash, async () => text),
    (error) =>
      error instanceof HubError && error.code === "POLICY_FAILED" && error.message.includes("system_gateway_call"),
  );
  assert.ok(await documents(t).own(hash, async () => text));
});

test("what failed for a passing reason is tried again", async (t) => {
  const opened = documents(t);
  const { text, hash } = stored(kept);
  const down = new HubError("STORE_UNAVAILABLE", "down");
  await assert.rejects(
    opened.own(hash, () => Promise.reject(down)),
    { code: "STORE_UNAVAILABLE" },
  );
  assert.equal((await opened.own(hash, async () => text)).policyHash, hash);
});

test("an empty document needs no thread", async (t) => {
  let started = 0;
  const count = () => started++;
  process.on("worker", count);
  t.after(() => process.off("worker", count));
  const opened = documents(t);
  assert.deepEqual((await opened.check(policyDocument(" \n"))).problems, []);
  assert.equal(started, 0);
  assert.deepEqual((await opened.check(kept)).problems, []);
  assert.equal(started, 1);
});
