/** Long work through whole hubs: whoever asks, wherever, is told how far it is; who may calls it off. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { HubClient } from "../cli/hub-client.ts";
import { type OperationView, operationView } from "../contracts/operations/operation.ts";
import { pageOf } from "../contracts/page.ts";
import { GitopsFixture } from "./gitops.fixture.ts";
import { SilentServer } from "./silent-server.fixture.ts";
import { ask, eventually, moduleNamed, type TestPerson } from "./test-hub.ts";

const PUT = "system_fleet_put_object";

let silent: SilentServer;
let git: GitopsFixture;
let stranger: TestPerson;
before(async () => {
  silent = await SilentServer.open();
  git = await GitopsFixture.open({ COUNTERSIGN_EGRESS_ALLOW: `localhost:${silent.port}` });
  await git.register("silent", silent.url);
  stranger = await git.hubs.addAccount("Eve");
});
after(async () => {
  await git[Symbol.asyncDispose]();
  silent[Symbol.dispose]();
});

async function get(client: HubClient, operationId: string, waitSeconds = 0): Promise<OperationView> {
  const { output } = await client.done("system_operations_get", { operationId, waitSeconds });
  return operationView.parse(output["operation"]);
}

test("a sync is an operation: its progress is told, another replica tells it too, and who may calls it off", async () => {
  const id = await git.begin("silent");
  await silent.connected();
  const working = await get(git.agent, id);
  assert.deepEqual([working.kind, working.state, working.progress.total], ["gitops.sync", "working", 4]);
  assert.match(working.progress.sentence, /main/);
  const replica = await git.hubs.start({ COUNTERSIGN_EGRESS_ALLOW: `localhost:${silent.port}` });
  assert.equal((await get(git.ada.operator(replica), id)).state, "working");

  const CANCEL = "system_operations_cancel";
  await assert.rejects(git.agent.call(CANCEL, { operationId: id }), { code: "FORBIDDEN" }, "it was Ada who asked");
  await assert.rejects(stranger.operator(git.hub).call(CANCEL, { operationId: id }), { code: "NOT_FOUND" });
  await git.ada.operator(replica).done(CANCEL, { operationId: id });
  await silent.left();
  const over = await get(git.agent, id);
  assert.deepEqual([over.state, over.error], ["cancelled", null]);
  assert.equal((await git.ended(id)).status, "failed");
  await assert.rejects(git.operator.call(CANCEL, { operationId: id }), { code: "CONFLICT" });
  const outcome = await eventually("receipt of the run", async () => {
    const rows = await git.hubs.sql<{ code: string }>(
      "select code from receipt where action = 'system_gitops_run_sync' and phase = 'outcome'",
    );
    return rows[0]?.code;
  });
  assert.equal(outcome, "CANCELLED");
  const next = await git.begin("silent");
  await silent.connected();
  silent.hangUp();
  assert.equal((await get(git.operator, next, 20)).state, "failed", "the repository can be synced again");
  await replica.stop();
});

test("a call that waits for people is an operation: who asked is answered when it is over", async () => {
  const requestId = await ask(git.agent, PUT, { object: moduleNamed("waits") });
  const waiting = await get(git.agent, requestId);
  assert.deepEqual([waiting.kind, waiting.about, waiting.state], ["approval", PUT, "working"]);
  assert.deepEqual([waiting.progress.done, waiting.progress.total], [0, 2]);
  assert.match(waiting.progress.sentence, /^Waiting for 1 of 1 approval, expires \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);
  const held = get(git.agent, requestId, 25);
  await git.ada.decide(git.hub, requestId);
  const over = await held;
  assert.deepEqual([over.state, over.progress.done], ["completed", 2]);
});

test("a denied call ends as failed, with the code; a withdrawn one as cancelled", async () => {
  const denied = await ask(git.agent, PUT, { object: moduleNamed("denied") });
  await git.ada.decide(git.hub, denied, "reject", "not now");
  const { state, error } = await get(git.agent, denied);
  assert.deepEqual([state, error?.code], ["failed", "APPROVAL_DENIED"]);
  const withdrawn = await ask(git.agent, PUT, { object: moduleNamed("withdrawn") });
  await git.agent.done("system_operations_cancel", { operationId: withdrawn });
  assert.equal((await get(git.agent, withdrawn)).state, "cancelled");
});

test("all kinds in one list, newest first, in pages; another account sees none of them", async () => {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const input = { limit: 2, ...(cursor !== undefined && { cursor }) };
    const { items, next } = await git.operator.output(pageOf(operationView), "system_operations_list", input);
    all.push(...items.map(({ id }) => id));
    cursor = next;
  } while (cursor !== undefined);
  assert.ok(all.length >= 5);
  assert.deepEqual(all, [...new Set(all)].sort().reverse());
  const mine = await git.agent.output(pageOf(operationView), "system_operations_list", { mine: true });
  assert.ok(mine.items.every(({ kind }) => kind === "approval"));
  const theirs = await stranger.operator(git.hub).output(pageOf(operationView), "system_operations_list");
  assert.deepEqual(theirs.items, []);
  await assert.rejects(get(stranger.operator(git.hub), all[0] ?? ""), { code: "NOT_FOUND" });
});
