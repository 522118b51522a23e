/** kill -9 in the middle of Git: what was whole before is whole afterwards, and the way goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GitopsFixture } from "./gitops.fixture.ts";
import { SilentServer } from "./silent-server.fixture.ts";
import { ask, eventually, settledRequest } from "./test-hub.ts";

const APPLY = "system_gitops_apply_proposal";

test("killed in the middle of an apply: nothing of it is there, the request says that it is unclear, and it can be applied", async () => {
  await using git = await GitopsFixture.open();
  const repository = await git.repository("cut");
  await git.settle(repository);
  repository.commitFleet({ replicas: 5, version: "2.0.0" });
  const proposalId = (await git.sync("cut")).proposals[0]?.id ?? "";
  const requestId = await ask(git.agent, APPLY, { proposalId });
  await git.hub.stop();
  const doomed = await git.hubs.start({
    COUNTERSIGN_TEST_MODE: "1",
    COUNTERSIGN_TEST_CRASH_AT: `during-execution@${APPLY}`,
  });
  await git.ada.decide(doomed, requestId).catch(() => {}); // the hub may be gone before it answers
  await doomed.crashed();

  const after = new GitopsFixture(git.hubs, await git.hubs.start());
  assert.equal((await settledRequest(after.agent, requestId)).state, "ambiguous");
  assert.equal((await after.live("Template", "cut-web"))?.version, 1);
  assert.equal((await after.live("Assignment", "cut-prod"))?.version, 1);
  assert.equal((await after.proposal(proposalId)).proposal.state, "open");
  await after.apply(proposalId);
  assert.equal((await after.drift("cut")).inSync, true);
});

test("killed in the middle of a fetch: the run goes on elsewhere and ends, and the last good state stands", async () => {
  using server = await SilentServer.open();
  const env = { COUNTERSIGN_EGRESS_ALLOW: `localhost:${server.port}` };
  await using git = await GitopsFixture.open(env);
  const repository = await git.repository("good");
  const { commit } = await git.settle(repository);
  await git.hubs.sql("update gitops_repository set url = $1 where name = 'good'", [server.url]);
  const runId = await git.begin("good");
  await server.connected();
  await git.hub.kill();
  server.hangUp(true);

  const after = new GitopsFixture(git.hubs, await git.hubs.start(env));
  const run = await after.ended(runId);
  assert.deepEqual([run.status, run.error?.code], ["failed", "GIT_UNREACHABLE"]);
  const receipts = await eventually("receipts of both attempts", async () => {
    const rows = await git.hubs.sql<{ phase: string; code: string }>(
      "select phase, code from receipt where action = 'system_gitops_run_sync' order by at desc limit 4",
    );
    return rows.some(({ code }) => code === "AMBIGUOUS") ? rows : undefined;
  });
  assert.deepEqual(
    receipts
      .filter(({ phase }) => phase === "outcome")
      .map(({ code }) => code)
      .sort(),
    ["AMBIGUOUS", "GIT_UNREACHABLE"],
    "the attempt that was cut off, and the one that ended",
  );
  await git.hubs.sql("update gitops_repository set url = $1 where name = 'good'", [repository.url]);
  repository.commitFleet({ replicas: 8 });
  const next = await after.sync("good");
  assert.deepEqual([next.status, next.previousCommit], ["success", commit?.id]);
});
