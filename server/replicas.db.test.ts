/** Several hub processes on one database: whatever one does counts at the others at once, and nothing is done twice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { emptyDatabase } from "./adapters/postgres/test-database.ts";
import { EXECUTE_APPROVED } from "./jobs/queues.ts";
import {
  ask,
  eventually,
  moduleNamed,
  policyOf,
  settledRequest,
  type TestHub,
  TestHubs,
  type TestPerson,
} from "./test-hub.ts";

const PUT = "system_fleet_put_object";
/** Lets the table be read, and keeps every change of it waiting. */
const NO_PUTS = "lock table fleet_object in share mode";

it("with root keys of their own only one of several hubs starts, and says why to the others", async () => {
  await using hubs = new TestHubs(await emptyDatabase());
  const configs = ["one", "another"].map((name) => join(hubs.home, name));
  const starts = await Promise.allSettled(
    configs.map((config) =>
      hubs.start({ COUNTERSIGN_ROOT_KEY_FILE: join(config, "root.key"), COUNTERSIGN_CONFIG_DIR: config }),
    ),
  );
  const [failed, ...more] = starts.flatMap((start) => (start.status === "rejected" ? [start.reason] : []));
  assert.deepEqual([failed?.code, more], ["KEY_SERVICE_UNREACHABLE", []]);
  const [started] = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  assert.ok(started);
  const { output } = await hubs.ada.operator(started).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
});

describe("hubs on one database", () => {
  let hubs: TestHubs;
  let [a, b, c] = [] as unknown as [TestHub, TestHub, TestHub];
  let [ben, cleo] = [] as unknown as [TestPerson, TestPerson];

  before(async () => {
    hubs = new TestHubs(await emptyDatabase());
  });
  after(() => hubs[Symbol.asyncDispose]());

  const agentAt = (hub: TestHub) => hubs.ada.agent(hub);
  const codeOf = (error: unknown) => (error as { code?: string }).code;

  async function intentsOf(callId: string): Promise<number> {
    return (await hubs.sql("select from receipt where call_id = $1 and phase = 'intent'", [callId])).length;
  }

  /** Opened by Ada's agent at this hub; a request of its own each time. */
  function asked(hub: TestHub): Promise<string> {
    return ask(agentAt(hub), PUT, { object: moduleNamed(`m-${v7()}`) });
  }

  async function verifies(hub: TestHub): Promise<void> {
    const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
    assert.equal(output.ok, true, JSON.stringify(output));
  }

  it("start at once on a database that has nothing, and one of them makes the account", async () => {
    [a, b, c] = await Promise.all([hubs.start(), hubs.start(), hubs.start()]);
    const ready = [a, b, c].map((hub) => hub.process.ready);
    assert.equal(new Set(ready.map(({ accountId }) => accountId)).size, 1);
    assert.equal(new Set(ready.map(({ rootKey }) => rootKey)).size, 1);
    assert.equal(ready.filter(({ created }) => created).length, 1);
    for (const hub of [a, b, c]) {
      const { output } = await agentAt(hub).done("system_identity_whoami");
      assert.equal((output.account as { id: string }).id, hubs.accountId);
    }
  });

  it("have the same people: invited at one, joined at another, a team at the third", async () => {
    ben = await hubs.join(b, "Ben");
    cleo = await hubs.join(c, "Cleo");
    await hubs.ada.run(a, "system_identity_set_profile", { profile: "team" });
    const { output } = await ben.operator(c).done("system_identity_whoami");
    assert.deepEqual([(output.account as { profile: string; people: number }).profile], ["team"]);
  });

  it("carry out once what was asked for at one and decided at another; both are in one journal", async () => {
    const requestId = await asked(a);
    await ben.decide(b, requestId);
    const { state, executionCallId = "" } = await settledRequest(agentAt(c), requestId);
    assert.equal(state, "executed");
    assert.equal(await intentsOf(executionCallId), 1);
    const lanes = await hubs.sql("select from lane where account_id = $1 and size > 0", [hubs.accountId]);
    assert.ok(lanes.length >= 2);
    for (const hub of [a, b]) await verifies(hub);
  });

  it("take one of two last approvals that come at once", async () => {
    const requestId = await asked(a);
    const decisions = await hubs.whileLocked(
      "select from approval_request where id = $1 for update",
      async ({ waiters, release }) => {
        const both = Promise.allSettled([ben.decide(a, requestId), cleo.decide(b, requestId)]);
        await waiters(2);
        await release();
        return both;
      },
      [requestId],
    );
    const taken = decisions.filter(({ status }) => status === "fulfilled");
    const refused = decisions.filter((decision) => decision.status === "rejected");
    assert.deepEqual([taken.length, refused.map(({ reason }) => codeOf(reason))], [1, ["APPROVAL_DECIDED"]]);
    const { state, executionCallId = "", decisions: kept } = await settledRequest(agentAt(a), requestId);
    assert.deepEqual([state, kept.length], ["executed", 1]);
    assert.equal(await intentsOf(executionCallId), 1);
  });

  it("do not dispatch a call again that one of them is executing, though its job comes twice", async () => {
    const requestId = await asked(a);
    await hubs.whileLocked(NO_PUTS, async ({ waiters }) => {
      await ben.decide(b, requestId);
      await waiters(1);
      const [copy] = await hubs.sql<{ id: string }>(
        `insert into pgboss.job (name, data, retry_limit, expire_seconds, heartbeat_seconds, policy)
         select name, data, retry_limit, expire_seconds, heartbeat_seconds, policy from pgboss.job
         where name = $1 and data->>'requestId' = $2 returning id`,
        [EXECUTE_APPROVED, requestId],
      );
      await eventually("end of the second job", async () => {
        const text = "select from pgboss.job where id = $1 and state = 'completed'";
        return (await hubs.sql(text, [copy?.id]))[0];
      });
      const { output } = await agentAt(a).done("system_approval_get_request", { requestId });
      assert.equal(output.state, "executing");
    });
    const { state, executionCallId = "" } = await settledRequest(agentAt(a), requestId);
    assert.equal(state, "executed");
    assert.equal(await intentsOf(executionCallId), 1);
  });

  it("judge the next call by the policy that two people, at two of them, put in force", async () => {
    const { output } = await hubs.ada.operator(a).done("system_policy_get");
    const input = { document: policyOf(PUT, "auto"), baseVersion: output.version };
    const requestId = await ask(hubs.ada.operator(a), "system_policy_put", input);
    assert.equal((await ben.decide(b, requestId)).state, "open");
    assert.equal((await agentAt(b).call(PUT, { object: moduleNamed("before") })).status, "pending");
    assert.equal((await cleo.decide(c, requestId)).state, "approved");
    assert.equal((await settledRequest(hubs.ada.operator(a), requestId)).state, "executed");
    for (const hub of [b, a, c])
      assert.equal((await agentAt(hub).call(PUT, { object: moduleNamed(`m-${v7()}`) })).status, "done");
  });

  it("refuse at the next call whom another banned, and a token that another revoked", async () => {
    const me = (await agentAt(b).done("system_identity_whoami")).output;
    const { id: principalId } = me.principal as { id: string };
    await ben.operator(a).done("system_identity_ban_principal", { principalId, reason: "to see it count" });
    await assert.rejects(agentAt(b).done("system_identity_whoami"), { code: "PRINCIPAL_BANNED" });
    const reason = "seen";
    const requestId = await ask(ben.operator(b), "system_identity_unban_principal", { principalId, reason });
    await cleo.decide(a, requestId);
    assert.equal((await settledRequest(ben.operator(b), requestId)).state, "executed");
    await agentAt(c).done("system_identity_whoami");

    const { output } = await cleo.operator(b).done("system_identity_whoami");
    const { id: tokenId } = output.token as { id: string };
    await cleo.operator(b).done("system_identity_revoke_token", { tokenId });
    await assert.rejects(cleo.operator(a).done("system_identity_whoami"), { code: "TOKEN_REVOKED" });
    await ben.operator(a).done("system_identity_whoami");
  });

  it("write lanes of their own into one log, without a gap, whoever integrates", async () => {
    const puts = Array.from({ length: 20 }, (_, i) =>
      agentAt([a, b][i % 2] as TestHub).call(PUT, { object: moduleNamed(`load-${i}`) }),
    );
    const reads = Array.from({ length: 40 }, (_, i) =>
      agentAt([a, b][i % 2] as TestHub).call("system_fleet_list_objects"),
    );
    await Promise.all([...puts, ...reads]);
    const places = await eventually("place in the log for everything", async () => {
      const [found] = await hubs.sql<{ receipts: number; log: number[]; events: (number | null)[] }>(
        `select (select count(*)::int from receipt where account_id = $1) as receipts,
           array(select position::int from log_entry where account_id = $1 order by position) as log,
           array(select position::int from event where account_id = $1 order by position) as events`,
        [hubs.accountId],
      );
      if (found === undefined || found.log.length < found.receipts || found.events.includes(null)) return undefined;
      return found;
    });
    assert.deepEqual(
      places.log,
      Array.from(places.log, (_, i) => i),
    );
    assert.deepEqual(
      places.events,
      Array.from(places.events, (_, i) => i),
    );
    const load = { action: PUT, limit: 200 };
    const lists = await Promise.all([a, b].map((hub) => agentAt(hub).done("system_journal_list_receipts", load)));
    assert.deepEqual(lists[0]?.output.items, lists[1]?.output.items);
    for (const hub of [a, b]) await verifies(hub);
  });

  it("go on when one is killed in the midst of a call, and close it", async () => {
    const object = moduleNamed("killed");
    const key = v7();
    await hubs.whileLocked(NO_PUTS, async ({ waiters }) => {
      const cut = assert.rejects(agentAt(c).call(PUT, { object }, key), { code: "HUB_UNREACHABLE" });
      await waiters(1);
      await c.kill();
      await cut;
      assert.equal((await agentAt(a).done("system_fleet_list_objects")).status, "done");
      await eventually("end for the call", async () => {
        const answer = await agentAt(b)
          .call(PUT, { object }, key)
          .then(({ status }) => status, codeOf);
        assert.ok(answer === "IN_PROGRESS" || answer === "AMBIGUOUS", answer);
        return answer === "AMBIGUOUS" ? true : undefined;
      });
    });
    await assert.rejects(agentAt(a).done("system_fleet_get_object", { kind: "Module", name: object.name }), {
      code: "NOT_FOUND",
    });
    const [abandoned, ...more] = await hubs.sql<{ code: string }>(
      `select o.code from event e join receipt o on o.call_id = (e.data->>'callId')::uuid and o.phase = 'outcome'
       where e.type = 'journal.intent_abandoned'`,
    );
    assert.deepEqual([abandoned?.code, more], ["AMBIGUOUS", []]);
    for (const hub of [a, b]) await verifies(hub);
  });

  it("let the call under way end on SIGTERM, refuse new ones, and leave nothing for others to clear up", async () => {
    const object = moduleNamed("drained");
    await hubs.whileLocked(NO_PUTS, async ({ waiters, release }) => {
      const underWay = agentAt(a).call(PUT, { object });
      await waiters(1);
      const ended = a.stop();
      await eventually("draining", async () => ((await fetch(a.at("/readyz"))).status === 503 ? true : undefined));
      assert.equal((await fetch(a.at("/healthz"))).status, 200);
      await assert.rejects(agentAt(a).call("system_identity_whoami"), { code: "DRAINING" });
      assert.equal((await agentAt(b).call("system_identity_whoami")).status, "done");
      await release();
      assert.equal((await underWay).status, "done");
      assert.equal(await ended, 0);
    });
    const open = await hubs.sql("select from journal_epoch where closed_at is null");
    assert.equal(open.length, 1, "that of the hub which goes on");
    const { output } = await agentAt(b).done("system_fleet_get_object", { kind: "Module", name: object.name });
    assert.equal((output.object as { version: number }).version, 1);
    await verifies(b);
  });
});
