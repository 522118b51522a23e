/**
 * Hubs killed with -9 in the midst of a change, as a whole: what is true in the database, what callers are told after a
 * restart, and that nothing is done twice. What the journal alone makes of it is server/journal/crash.db.test.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import type { HubClient } from "../cli/hub-client.ts";
import type { CrashPoint } from "./config/crash-point.ts";
import { HubError } from "./errors.ts";
import { EXECUTE_APPROVED } from "./jobs/queues.ts";
import { ask, eventually, loosen, moduleNamed, settledRequest, type TestHub, TestHubs } from "./test-hub.ts";

const PUT = "system_fleet_put_object";

/** Where it is cut, and what then has to be true. */
const CUTS: Readonly<Record<Exclude<CrashPoint, "before-intent">, "AMBIGUOUS" | "OK">> = {
  "after-intent": "AMBIGUOUS",
  "during-execution": "AMBIGUOUS",
  "after-effect": "OK",
};

const doomed = (hubs: TestHubs, at: string): Promise<TestHub> =>
  hubs.start({ COUNTERSIGN_TEST_MODE: "1", COUNTERSIGN_TEST_CRASH_AT: at });

/** A call whose answer the crash may have cut off; undefined where it did. */
async function unlessCut<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof HubError && error.code === "HUB_UNREACHABLE") return undefined;
    throw error;
  }
}

/** Codes of a call's receipts by phase, straight from the table. */
async function codesOf(hubs: TestHubs, callId: string): Promise<Record<string, string>> {
  const rows = await hubs.sql<{ phase: string; code: string }>("select phase, code from receipt where call_id = $1", [
    callId,
  ]);
  return Object.fromEntries(rows.map(({ phase, code }) => [phase, code]));
}

async function versionsOf(hubs: TestHubs, name: string): Promise<number[]> {
  return (await hubs.sql<{ version: number }>("select version::int from fleet_object where name = $1", [name])).map(
    ({ version }) => version,
  );
}

/** Data of the events of one type, in the order of their positions, once they have some. */
async function eventsOf(hubs: TestHubs, client: HubClient, type: string): Promise<unknown[]> {
  await eventually("position of every event", async () => {
    const [left] = await hubs.sql<{ n: number }>("select count(*)::int as n from event where position is null");
    return left?.n === 0 ? true : undefined;
  });
  const { output } = await client.done("system_events_list", { types: [type] });
  return (output.items as { data: unknown }[]).map(({ data }) => data);
}

/** The queue takes the killed hub's job for lost and gives it to another, as it does by itself ten seconds later. */
async function jobComesAgain(hubs: TestHubs, requestId: string): Promise<void> {
  const job = "name = $1 and data->>'requestId' = $2";
  const values = [EXECUTE_APPROVED, requestId];
  await hubs.sql(`update pgboss.job set heartbeat_on = now() - interval '1 hour' where ${job}`, values);
  await eventually("second run of the job", async () => {
    await hubs.sql(`update pgboss.job set start_after = now() where ${job} and state = 'retry'`, values);
    const text = `select state from pgboss.job where ${job} and retry_count > 0 and state = 'completed'`;
    return (await hubs.sql(text, values))[0];
  });
}

async function refuseUnverified(client: HubClient): Promise<void> {
  const { output } = await client.done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
}

for (const [point, ending] of Object.entries(CUTS)) {
  test(`an approved call cut off ${point} ends as ${ending}, and is not carried out again`, async () => {
    await using hubs = await TestHubs.open();
    const { ada } = hubs;
    const object = moduleNamed("approved");
    const key = v7();
    const victim = await doomed(hubs, `${point}@${PUT}`);
    const requestId = await ask(ada.agent(victim), PUT, { object }, key);
    await unlessCut(ada.decide(victim, requestId));
    await victim.crashed();

    const [left] = await hubs.sql<{ state: string; call: string }>(
      "select state, execution_call_id as call from approval_request where id = $1",
      [requestId],
    );
    const callId = left?.call ?? "";
    assert.equal(left?.state, ending === "OK" ? "executed" : "executing");
    assert.deepEqual(await codesOf(hubs, callId), { intent: "PENDING" });
    assert.deepEqual(await versionsOf(hubs, object.name), ending === "OK" ? [1] : []);

    const hub = await hubs.start();
    const agent = ada.agent(hub);
    const request = await settledRequest(agent, requestId);
    assert.equal(request.state, ending === "OK" ? "executed" : "ambiguous");
    assert.equal(request.executionCallId, callId);
    assert.deepEqual(await codesOf(hubs, callId), { intent: "PENDING", outcome: ending });
    const result = request.yours?.result as { output: { change: string } } | undefined;
    assert.equal(result?.output.change, ending === "OK" ? "created" : undefined);
    const abandoned = await eventsOf(hubs, agent, "journal.intent_abandoned");
    assert.deepEqual(abandoned, ending === "OK" ? [] : [{ callId, action: PUT }]);

    await jobComesAgain(hubs, requestId);
    const repeated = agent.call(PUT, { object }, key);
    if (ending === "AMBIGUOUS") await assert.rejects(repeated, { code: "AMBIGUOUS" });
    else {
      const { status, receipt, ...answer } = await repeated;
      assert.equal(status, "done");
      assert.equal(receipt.callId, callId);
      assert.deepEqual("output" in answer && answer.output, result?.output);
    }
    assert.deepEqual(await versionsOf(hubs, object.name), ending === "OK" ? [1] : []);
    const executed = await hubs.sql("select from receipt where action = $1 and phase = 'intent'", [PUT]);
    assert.equal(executed.length, 1);
    assert.equal((await eventsOf(hubs, agent, "approval.executed")).length, ending === "OK" ? 1 : 0);
    await refuseUnverified(ada.operator(hub));
  });
}

for (const [point, ending] of Object.entries(CUTS)) {
  test(`a call that waits for nobody, cut off ${point}: its idempotency key answers ${ending}`, async () => {
    await using hubs = await TestHubs.open();
    const { ada } = hubs;
    const object = moduleNamed("direct");
    const key = v7();
    const victim = await doomed(hubs, `${point}@${PUT}`);
    await loosen(ada, victim, PUT);
    await assert.rejects(ada.agent(victim).call(PUT, { object }, key), { code: "HUB_UNREACHABLE" });
    await victim.crashed();

    const hub = await hubs.start();
    const agent = ada.agent(hub);
    const [cut] = await hubs.sql<{ call: string }>("select call_id as call from idempotency where key = $1", [key]);
    const callId = cut?.call ?? "";
    assert.deepEqual(await codesOf(hubs, callId), { intent: "PENDING", outcome: ending });
    await assert.rejects(agent.call(PUT, { object: moduleNamed("another") }, key), { code: "IDEMPOTENCY_MISMATCH" });
    for (let tries = 0; tries < 2; tries++) {
      const repeated = agent.call(PUT, { object }, key);
      if (ending === "AMBIGUOUS") await assert.rejects(repeated, { code: "AMBIGUOUS" });
      else assert.equal((await repeated).receipt.callId, callId);
    }
    assert.deepEqual(await versionsOf(hubs, object.name), ending === "OK" ? [1] : []);
    const anew = agent.call(PUT, { object }, v7());
    if (ending === "OK") await assert.rejects(anew, { code: "VERSION_CONFLICT" });
    else assert.equal((await anew).status, "done");
    await refuseUnverified(ada.operator(hub));
  });
}

test("cut off before the intent nothing has begun: the job carries the call out, and the idempotency key is free", async () => {
  await using hubs = await TestHubs.open();
  const { ada } = hubs;
  const victim = await doomed(hubs, `before-intent@${PUT}`);
  const approved = moduleNamed("approved");
  const requestId = await ask(ada.agent(victim), PUT, { object: approved }, v7());
  await unlessCut(ada.decide(victim, requestId));
  await victim.crashed();
  const [left] = await hubs.sql<{ state: string }>("select state from approval_request where id = $1", [requestId]);
  assert.equal(left?.state, "approved");

  const second = await doomed(hubs, `before-intent@${PUT}`);
  await loosen(ada, second, PUT);
  const direct = moduleNamed("direct");
  const key = v7();
  await assert.rejects(ada.agent(second).call(PUT, { object: direct }, key), { code: "HUB_UNREACHABLE" });
  await second.crashed();

  const hub = await hubs.start();
  assert.equal((await ada.agent(hub).call(PUT, { object: direct }, key)).status, "done");
  await jobComesAgain(hubs, requestId);
  assert.equal((await settledRequest(ada.agent(hub), requestId)).state, "executed");
  for (const { name } of [approved, direct]) assert.deepEqual(await versionsOf(hubs, name), [1]);
  const executed = await hubs.sql("select from receipt where action = $1 and phase = 'intent'", [PUT]);
  assert.equal(executed.length, 2);
  assert.deepEqual(await eventsOf(hubs, ada.agent(hub), "journal.intent_abandoned"), []);
  await refuseUnverified(ada.operator(hub));
});

test("a decision cut off before it took effect can be made again; one that took effect is carried out by the next hub", async () => {
  await using hubs = await TestHubs.open();
  const { ada } = hubs;
  const decide = "system_approval_decide_request";
  const object = moduleNamed("decided");
  const first = await doomed(hubs, `during-execution@${decide}`);
  const requestId = await ask(ada.agent(first), PUT, { object });
  await assert.rejects(ada.decide(first, requestId), { code: "HUB_UNREACHABLE" });
  await first.crashed();

  const second = await doomed(hubs, `after-effect@${decide}`);
  const { output } = await ada.operator(second).done("system_approval_get_request", { requestId });
  assert.deepEqual([output.state, output.decisions], ["open", []]);
  await unlessCut(ada.decide(second, requestId));
  await second.crashed();
  // it may have begun with the job
  await hubs.sql("update pgboss.job set heartbeat_on = now() - interval '1 hour' where state = 'active'");

  const third = await hubs.start();
  const request = await settledRequest(ada.agent(third), requestId);
  assert.equal(request.state, "executed");
  assert.equal(request.decisions.length, 1);
  assert.deepEqual(await versionsOf(hubs, object.name), [1]);
  const outcomes = await hubs.sql<{ code: string }>(
    "select code from receipt where action = $1 and phase = 'outcome' order by at",
    [decide],
  );
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ["AMBIGUOUS", "OK"],
  );
  await refuseUnverified(ada.operator(third));
});
