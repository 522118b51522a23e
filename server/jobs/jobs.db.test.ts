import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import type { Gate } from "../action/gate.ts";
import type { Store } from "../action/store.ts";
import { testDatabase } from "../adapters/postgres/test-database.ts";
import { approvalFixture, RESULT } from "../approval/approval-fixture.ts";
import { executeApproved } from "./execute-approved.ts";
import { expireApprovals } from "./expire-approvals.ts";
import { closeJobs, openJobs, transactionalJobs, workOn } from "./open-jobs.ts";
import { ADVANCE_OPERATIONS, EXECUTE_APPROVED, QUEUES } from "./queues.ts";

const unexpected = (error: Error) => {
  throw error;
};

async function hub(settings: Parameters<typeof approvalFixture>[0] = {}) {
  const db = await testDatabase({ queues: QUEUES });
  const boss = await openJobs(db.runtime, unexpected);
  const f = await approvalFixture({ ...settings, test: db, jobs: transactionalJobs(boss) });
  const owner = await f.addPerson("Owner");
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const more: (typeof boss)[] = [];
  return {
    f,
    boss,
    ann,
    agent,
    /** Another process on the same database. */
    async another() {
      const other = await openJobs(db.runtime, unexpected);
      more.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const one of [boss, ...more]) await closeJobs(one, 1_000);
      await f[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

/** Stands for the gate: spends the grant as the intent does, dispatches, settles. */
function executions(f: Awaited<ReturnType<typeof hub>>["f"]) {
  const seen = { attempts: 0, dispatched: 0 };
  const ended = Promise.withResolvers<void>();
  const run = async (
    job: { accountId: string; requestId: string },
    faults: { before?: number; after?: number } = {},
  ) => {
    seen.attempts++;
    const held = await f.approvals.take(job.accountId, job.requestId);
    if (held === undefined) return ended.resolve();
    if (seen.attempts <= (faults.before ?? 0)) throw new Error("away before the intent");
    if (!(await f.spend(job.requestId))) return ended.resolve();
    seen.dispatched++;
    if (seen.attempts <= (faults.before ?? 0) + (faults.after ?? 0)) throw new Error("away after the intent");
    await f.store.transact(job.accountId, (tx) => f.approvals.settle(tx, held, { state: "executed", result: RESULT }));
    ended.resolve();
  };
  return { seen, ended: ended.promise, run };
}

const gate = {} as Gate;

test("the last approval's job executes the call, once, whichever process gets it", async () => {
  await using t = await hub();
  const { seen, ended, run } = executions(t.f);
  for (const boss of [t.boss, await t.another()]) await executeApproved(boss, gate, (_gate, job) => run(job));
  const { requestId } = await t.f.open(t.agent);
  await t.f.decide(t.ann, requestId);
  await ended;
  assert.deepEqual(seen, { attempts: 1, dispatched: 1 });
  assert.equal((await t.f.request(requestId)).state, "executed");
});

test("a decision that is rolled back sends no job", async () => {
  await using t = await hub();
  const { requestId } = await t.f.open(t.agent);
  const given = new Error("the outcome could not be staged");
  const deciding = t.f.store.transact(t.f.accountId, async (tx) => {
    await tx.approvals.approve(requestId, new Date());
    await tx.approvals.enqueueExecution(requestId);
    throw given;
  });
  await assert.rejects(deciding, given);
  assert.deepEqual(await t.boss.findJobs(EXECUTE_APPROVED), []);
  await t.f.decide(t.ann, requestId);
  const [job, ...others] = await t.boss.findJobs(EXECUTE_APPROVED);
  assert.deepEqual([job?.data, others], [{ accountId: t.f.accountId, requestId }, []]);
});

test("a job comes again where the hub was away before the intent, and dispatches once", async () => {
  await using t = await hub();
  const { seen, ended, run } = executions(t.f);
  await executeApproved(t.boss, gate, (_gate, job) => run(job, { before: 1 }));
  const { requestId } = await t.f.open(t.agent);
  await t.f.decide(t.ann, requestId);
  await ended;
  assert.deepEqual(seen, { attempts: 2, dispatched: 1 });
  assert.equal((await t.f.request(requestId)).state, "executed");
});

test("a job comes again where the hub was away after the intent, and does not dispatch again", async () => {
  await using t = await hub();
  const { seen, ended, run } = executions(t.f);
  await executeApproved(t.boss, gate, (_gate, job) => run(job, { after: 1 }));
  const { requestId } = await t.f.open(t.agent);
  await t.f.decide(t.ann, requestId);
  await ended;
  assert.deepEqual(seen, { attempts: 2, dispatched: 1 });
  assert.equal((await t.f.request(requestId)).state, "executing");
});

test("a request that nobody decides on is written down as expired", async () => {
  await using t = await hub({ settings: { approvalMs: 1 } });
  const written = Promise.withResolvers<void>();
  const store: Pick<Store, "transact"> = {
    async transact(accountId, fn, signal) {
      const result = await t.f.store.transact(accountId, fn, signal);
      written.resolve();
      return result;
    },
  };
  const { requestId } = await t.f.open(t.agent);
  t.f.later(1_000);
  await expireApprovals(t.boss, { store: store as Store, now: () => t.f.clock.now });
  await written.promise;
  assert.equal((await t.f.request(requestId)).state, "expired");
  assert.deepEqual(await t.f.events(), ["approval.requested", "approval.expired"]);
});

test("one account's operations leave room for another's, however long they take", async () => {
  await using db = await testDatabase({ queues: QUEUES });
  const boss = await openJobs(db.runtime, unexpected);
  await using _ = { [Symbol.asyncDispose]: () => closeJobs(boss, 1_000) };
  const jobs = transactionalJobs(boss);
  const send = (accountId: string) =>
    db.database.transact(accountId, (session) => jobs.advance(session, { accountId, operationId: v7() }));
  const [greedy, modest] = [v7(), v7()];
  for (let i = 0; i < 12; i++) await send(greedy);
  await send(modest);
  const slow = Promise.withResolvers<void>();
  const served = Promise.withResolvers<void>();
  const all = Promise.withResolvers<void>();
  const running = { now: 0, most: 0, done: 0 };
  await workOn(boss, ADVANCE_OPERATIONS, async ({ accountId }) => {
    if (accountId === modest) return served.resolve();
    running.most = Math.max(running.most, ++running.now);
    await slow.promise;
    running.now--;
    if (++running.done === 12) all.resolve();
  });
  await served.promise;
  slow.resolve();
  await all.promise;
  assert.ok(running.most <= 4, `${running.most} at a time`);
});
