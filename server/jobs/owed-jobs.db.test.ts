/** A restored database has the rows and no queue. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { v7 } from "uuid";
import { ownerSession } from "../adapters/postgres/owner-session.ts";
import { testDatabase } from "../adapters/postgres/test-database.ts";
import { approvalFixture } from "../approval/approval-fixture.ts";
import { closeJobs, openJobs } from "./open-jobs.ts";
import { sendOwedJobs } from "./owed-jobs.ts";
import { ADVANCE_OPERATIONS, EXECUTE_APPROVED, EXPIRE_APPROVALS, QUEUES } from "./queues.ts";

test("jobs are made for what is open, in the owner's transaction, and for nothing that is over", async () => {
  await using db = await testDatabase({ queues: QUEUES });
  await using f = await approvalFixture({ test: db });
  const owner = await f.addPerson("Owner");
  const ann = await f.addPerson("Ann");
  const agent = await f.addPrincipal("agent", owner.personId, ["agent"]);
  const request = async (input: string) => (await f.open(agent, { input })).requestId;
  const [open, approved, executing, denied] = [
    await request('{"no":1}'),
    await request('{"no":2}'),
    await request('{"no":3}'),
    await request('{"no":4}'),
  ];
  for (const id of [approved, executing]) await f.decide(ann, id);
  await f.decide(ann, denied, "reject");
  await f.spend(executing);
  const operation = async (state: "working" | "completed") => {
    const id = v7();
    await f.asSuperuser(
      `insert into operation (account_id, id, kind, subject, action, requester_id, state, steps_total, sentence, deadline, created_at, updated_at, ended_at)
       values ($1, $2::text::uuid, 'test', $2, 'test', $3, $4, 1, '', now(), now(), now(), case $4 when 'working' then null else now() end)`,
      [f.accountId, id, agent, state],
    );
    return id;
  };
  const working = await operation("working");
  await operation("completed");

  const boss = await openJobs(db.runtime, (error) => {
    throw error;
  });
  await using _ = { [Symbol.asyncDispose]: () => closeJobs(boss, 1_000) };
  const session = await ownerSession(db.owner);
  const queued = async () => {
    const of = async (queue: string) =>
      (await boss.findJobs<{ requestId?: string; operationId?: string }>(queue)).map(({ data, startAfter }) => ({
        id: data.requestId ?? data.operationId,
        startAfter,
      }));
    return {
      advance: await of(ADVANCE_OPERATIONS),
      execute: await of(EXECUTE_APPROVED),
      expire: await of(EXPIRE_APPROVALS),
    };
  };
  const ids = (jobs: readonly { readonly id?: string | undefined }[]) => new Set(jobs.map(({ id }) => id));
  try {
    await session.query("begin");
    assert.equal(await sendOwedJobs(db.owner, session), 4);
    const none = await queued();
    assert.deepEqual([none.advance, none.execute, none.expire], [[], [], []], "without its commit there is none");
    await session.query("commit");
  } finally {
    await session.end();
  }
  const { advance, execute, expire } = await queued();
  assert.deepEqual(ids(advance), new Set([working]));
  assert.deepEqual(ids(execute), new Set([approved, executing]));
  assert.deepEqual(ids(expire), new Set([open, approved]));
  const { approvalExpiresAt } = await f.request(open);
  assert.deepEqual(expire.find(({ id }) => id === open)?.startAfter, approvalExpiresAt);
});
