import assert from "node:assert/strict";
import { test } from "node:test";
import { cedarSchema } from "./cedar-schema.ts";
import { allActions } from "./fixtures/actions.ts";
import { policy, policyDocument } from "./fixtures/requests.ts";
import { PolicyCheckThread } from "./policy-check-thread.ts";

const schema = cedarSchema(allActions);
const small = policyDocument(policy("permit", "small"));
/** Within all limits on text, and the slowest to check that was found: half a second. */
const slow = policyDocument(
  Array.from({ length: 5 }, (_, index) => {
    const clauses = Array(60).fill('(principal has owner && principal.owner like "*")').join(" || ");
    return policy("permit", `slow-${index}`, `when { ${clauses} }`, "principal, action, resource");
  }).join(""),
);

test("checks documents one after the other", async (t) => {
  const thread = new PolicyCheckThread(schema);
  t.after(() => thread.close());
  const wrong = policyDocument(policy("permit", "wrong", "when { context.nothing }"));
  const [first, second, third] = await Promise.all([thread.check(small), thread.check(wrong), thread.check(slow)]);
  assert.deepEqual(
    first.policies.map(({ id }) => id),
    ["small"],
  );
  assert.deepEqual([...(first.policies[0]?.scope.actions ?? [])], ["system_gateway_call"]);
  assert.equal(second.problems[0]?.policy, "wrong");
  assert.equal(third.policies.length, 5);
});

test("a document that takes too long is given up, and those behind it are served", async (t) => {
  const thread = new PolicyCheckThread(schema, { timeMs: 1 });
  t.after(() => thread.close());
  const late = assert.rejects(thread.check(slow), { code: "TIMEOUT" });
  const behind = thread.check(slow).catch((error: { code: string }) => error.code);
  await late;
  assert.equal(await behind, "TIMEOUT"); // it had its own turn, in a new thread
});

test("only so many may wait", async (t) => {
  const thread = new PolicyCheckThread(schema, { waiting: 2 });
  t.after(() => thread.close());
  const waiting = [thread.check(small), thread.check(small)];
  await assert.rejects(thread.check(small), { code: "TIMEOUT" });
  assert.equal((await Promise.all(waiting)).length, 2);
  assert.deepEqual((await thread.check(small)).problems, []);
});

test("an idle thread ends, and the next document starts another", async (t) => {
  let started = 0;
  const count = () => started++;
  process.on("worker", count);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const thread = new PolicyCheckThread(schema, { idleMs: 5_000 });
  t.after(() => thread.close());
  t.after(() => process.off("worker", count));
  const checks = async () => assert.deepEqual((await thread.check(small)).problems, []);
  await checks();
  t.mock.timers.tick(4_999);
  await checks();
  assert.equal(started, 1);
  t.mock.timers.tick(5_000);
  await checks();
  assert.equal(started, 2);
});

test("closing refuses what waits", async () => {
  const thread = new PolicyCheckThread(schema);
  const waiting = [thread.check(slow), thread.check(small)].map((check) => assert.rejects(check, { code: "DRAINING" }));
  await thread.close();
  await Promise.all(waiting);
});
