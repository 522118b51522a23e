/** Long work as tasks (SEP-2663), over the wire: of a client that declares the extension, and of one that does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AGENT } from "../cli/context.ts";
import { GitopsFixture } from "./gitops.fixture.ts";
import { eventually, moduleNamed } from "./test-hub.ts";

const VERSION = "2026-07-28";
const TASKS = "io.modelcontextprotocol/tasks";
const PUT = "system_fleet_put_object";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came back
// oxlint-disable-next-line typescript/no-explicit-any
type Answer = any;

let git: GitopsFixture;
let id = 0;
before(async () => {
  git = await GitopsFixture.open();
});
after(() => git[Symbol.asyncDispose]());

/** One request of the modern era, as a client sends it. */
async function rpc(
  method: string,
  params: Readonly<Record<string, unknown>>,
  { token = git.ada.token(AGENT), tasks = true }: { token?: string; tasks?: boolean } = {},
): Promise<Answer> {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": tasks ? { extensions: { [TASKS]: {} } } : {},
  };
  const name = (params["name"] ?? params["taskId"]) as string | undefined;
  const response = await fetch(git.hub.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": VERSION,
      "mcp-method": method,
      ...(name !== undefined && { "mcp-name": name }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params: { ...params, _meta } }),
  });
  const text = await response.text();
  const data = /^data: (.+)$/m.exec(text)?.[1] ?? text;
  return JSON.parse(data);
}

const callTool = (name: string, args: unknown, more = {}) => rpc("tools/call", { name, arguments: args }, more);
const taskOf = async (taskId: string, more = {}) => (await rpc("tasks/get", { taskId }, more)).result;
const over = (taskId: string) =>
  eventually(`end of the task ${taskId}`, async () => {
    const task = await taskOf(taskId);
    return task.status === "working" ? undefined : task;
  });

test("a call that waits for people is a task: it says for how many, and ends with the call's own result", async () => {
  const { result } = await callTool(PUT, { object: moduleNamed("as-a-task") });
  assert.equal(result.resultType, "task", JSON.stringify(result));
  const { taskId } = result;
  const waiting = await taskOf(taskId);
  assert.equal(waiting.status, "working");
  assert.match(waiting.statusMessage, /^Waiting for 1 of 1 approval, expires /);
  await git.ada.decide(git.hub, taskId);
  const done = await over(taskId);
  assert.equal(done.status, "completed", JSON.stringify(done));
  assert.equal(done.result.structuredContent.change, "created");
});

test("a denied call is a failed task; a cancelled one is cancelled, and stays so", async () => {
  const denied = (await callTool(PUT, { object: moduleNamed("denied-task") })).result.taskId;
  await git.ada.decide(git.hub, denied, "reject", "no");
  const failed = await over(denied);
  assert.equal(failed.status, "failed");
  assert.match(JSON.stringify(failed.error), /APPROVAL_DENIED|Rejected/);

  const cancelled = (await callTool(PUT, { object: moduleNamed("cancelled-task") })).result.taskId;
  for (const _ of [1, 2]) assert.ok((await rpc("tasks/cancel", { taskId: cancelled })).result);
  assert.equal((await over(cancelled)).status, "cancelled");
});

test("a sync is a task that ends with the run", async () => {
  const repository = await git.repository("task");
  repository.commitFleet();
  const { result } = await callTool("system_gitops_sync_repository", { repository: "task" });
  assert.equal(result.resultType, "task");
  const done = await over(result.taskId);
  assert.equal(done.status, "completed", JSON.stringify(done));
  assert.equal(done.result.structuredContent.run.status, "success");
});

test("who does not declare tasks gets the answer of old, with the id to follow", async () => {
  const { result } = await callTool(PUT, { object: moduleNamed("no-task") }, { tasks: false });
  assert.notEqual(result.resultType, "task");
  assert.equal(result._meta["countersign/error"].code, "APPROVAL_PENDING");
  const { requestId } = result._meta["countersign/approval"];
  const followed = await callTool("system_operations_get", { operationId: requestId }, { tasks: false });
  assert.equal(followed.result.structuredContent.operation.state, "working");
});

test("another's task is as unknown as none, to a colleague and to a stranger", async () => {
  const { taskId } = (await callTool(PUT, { object: moduleNamed("mine") })).result;
  const stranger = await git.hubs.addAccount("Eve");
  const unknown = (await rpc("tasks/get", { taskId: "01900000-0000-7000-8000-000000000000" })).error;
  for (const token of [git.ada.token(), stranger.token()])
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"])
      assert.deepEqual((await rpc(method, { taskId }, { token })).error, unknown, method);
  assert.equal((await taskOf(taskId)).status, "working");
});
