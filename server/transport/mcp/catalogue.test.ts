import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { openCatalogueDoor } from "./fake-catalogue.ts";

type CatalogueDoor = Awaited<ReturnType<typeof openCatalogueDoor>>;

const ASKS = { elicitation: { form: {} } };
const TASKS = { extensions: { "io.modelcontextprotocol/tasks": {} } };
const modes: Record<string, ClientOptions> = {
  "revision 2026-07-28": { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  "a 2025 revision": { versionNegotiation: { mode: "legacy" } },
};

async function connect(door: CatalogueDoor, options: ClientOptions, answers?: Record<string, string>): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { ...options, capabilities: answers ? ASKS : {} });
  if (answers)
    client.setRequestHandler("elicitation/create", async ({ params: { message } }) => {
      const text = answers[message];
      return text === undefined ? { action: "decline" } : { action: "accept", content: { text } };
    });
  const requestInit = { headers: { authorization: `Bearer ${door.token}` } };
  await client.connect(new StreamableHTTPClientTransport(door.url, { requestInit }));
  return client;
}

for (const [name, mode] of Object.entries(modes)) {
  describe(name, () => {
    test("resources are listed page by page, read for their caller, and not found by the protocol's own error", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode);
      const { resources } = await client.listResources();
      assert.deepEqual(
        resources.map(({ uri }) => uri),
        ["fake://one", "fake://two"],
      );
      const { resourceTemplates } = await client.listResourceTemplates();
      assert.equal(resourceTemplates[0]?.uriTemplate, "fake://{name}");
      const { contents } = await client.readResource({ uri: "fake://one" });
      assert.deepEqual(contents, [{ uri: "fake://one", text: "for alice" }]);
      const unknown = client.readResource({ uri: "fake://none" });
      await assert.rejects(unknown, { code: -32602, data: { uri: "fake://none" } });
      await client.close();
    });

    test("what breaks in a catalogue stays in the log", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode);
      await assert.rejects(client.readResource({ uri: "fake://broken" }), (error: Error & { code?: number }) => {
        assert.equal(error.code, -32603);
        assert.ok(!JSON.stringify([error.message, error]).includes("inside of the hub"));
        return true;
      });
      assert.ok(door.hub.lines.some((line) => line.includes("inside of the hub")));
      await client.close();
    });

    test("prompts are listed and filled in; a missing argument and an unknown prompt are refused", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode);
      const { prompts } = await client.listPrompts();
      assert.equal(prompts[0]?.name, "greet");
      const { messages } = await client.getPrompt({ name: "greet", arguments: { whom: "Ada" } });
      assert.deepEqual(messages[0]?.content, { type: "text", text: "Greet Ada" });
      await assert.rejects(client.getPrompt({ name: "greet" }), { code: -32602 });
      await assert.rejects(client.getPrompt({ name: "other", arguments: {} }), { code: -32602 });
      await client.close();
    });

    test("completion sends a hundred values and says that there are more", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode);
      const ref = { type: "ref/prompt" as const, name: "greet" };
      const { completion } = await client.complete({ ref, argument: { name: "whom", value: "a" } });
      assert.equal(completion.values.length, 100);
      assert.deepEqual([completion.total, completion.hasMore], [150, true]);
      await client.close();
    });

    test("a call asks its user twice, and its second round knows the first", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode, { "First?": "a", "Second?": "b" });
      const result = await client.callTool({ name: "system_test_two_questions", arguments: {} });
      assert.deepEqual(result.content, [{ type: "text", text: "a b" }]);
      assert.deepEqual(
        door.catalogue.calls.map(({ state }) => state),
        [undefined, undefined, "a"],
      );
      await client.close();
    });

    test("a client is never asked what it did not declare", async () => {
      await using door = await openCatalogueDoor();
      const client = await connect(door, mode);
      const call = client.callTool({ name: "system_test_two_questions", arguments: {} });
      await assert.rejects(call, { code: -32021 });
      assert.equal(door.catalogue.calls.length, 1);
      await client.close();
    });
  });
}

test("a call that never has enough answers ends", async () => {
  await using door = await openCatalogueDoor();
  const client = await connect(door, modes["a 2025 revision"] ?? {}, { "Again?": "no" });
  const result = await client.callTool({ name: "system_test_endless", arguments: {} });
  assert.equal(result.isError, true);
  assert.equal(door.catalogue.calls.length, 8);
  await client.close();
});

describe("the tasks extension", () => {
  /** A request of 2026-07-28 with what its headers have to say. */
  async function rpc(door: CatalogueDoor, method: string, params: Record<string, unknown>, change: Change = {}) {
    const { capabilities = TASKS, token = door.token, name = String(params.taskId ?? params.name) } = change;
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": capabilities,
    };
    const response = await fetch(door.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${token}`,
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        "mcp-name": name,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
    });
    // oxlint-disable-next-line typescript/no-explicit-any -- whatever came back
    return { status: response.status, ...((await response.json()) as any) };
  }

  interface Change {
    capabilities?: Record<string, unknown>;
    token?: string;
    name?: string;
  }

  const start = (door: CatalogueDoor, change?: Change) =>
    rpc(door, "tools/call", { name: "system_test_task", arguments: {} }, change);

  test("a call goes on as a task, which is asked for, answered and ended", async () => {
    await using door = await openCatalogueDoor();
    const { result } = await start(door);
    assert.equal(result.resultType, "task");
    const { _meta, content, ...task } = result;
    assert.deepEqual(content, [], "the SDK has it that every result of a call has content");
    assert.deepEqual(task, {
      resultType: "task",
      taskId: "task-0",
      status: "input_required",
      statusMessage: "waiting for 2 of 2 approvals",
      createdAt: "2026-11-20T12:00:00.000Z",
      lastUpdatedAt: "2026-11-20T12:00:00.000Z",
      ttlMs: 60_000,
      pollIntervalMs: 1000,
    });
    const taskId = "task-0";
    const asked = await rpc(door, "tasks/get", { taskId });
    assert.equal(asked.result.resultType, "complete");
    assert.equal(asked.result.inputRequests.why.method, "elicitation/create");
    const inputResponses = { why: { action: "accept", content: { text: "because" } } };
    assert.equal((await rpc(door, "tasks/update", { taskId, inputResponses })).result.resultType, "complete");
    const done = await rpc(door, "tasks/get", { taskId });
    assert.equal(done.result.status, "completed");
    assert.match(done.result.result.content[0].text, /because/);
    assert.equal((await rpc(door, "tasks/cancel", { taskId })).result.resultType, "complete");
    assert.equal((await rpc(door, "tasks/get", { taskId })).result.status, "cancelled");
  });

  test("is for those who declare it: for others there are neither tasks nor calls that go on as one", async () => {
    await using door = await openCatalogueDoor();
    await start(door);
    const without = { capabilities: {} };
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      const { status, error } = await rpc(door, method, { taskId: "task-0" }, without);
      assert.deepEqual([status, error.code], [400, -32021], method);
      assert.deepEqual(error.data.requiredCapabilities, TASKS);
    }
    assert.equal((await start(door, without)).error.code, -32021);
  });

  test("another principal's task is told apart from none by nobody; a header that names another is refused", async () => {
    await using door = await openCatalogueDoor();
    await start(door);
    const mallory = { token: door.hub.admit("mallory") };
    const refusals = [];
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"])
      for (const taskId of ["task-0", "task-9"]) {
        const { error } = await rpc(door, method, { taskId }, mallory);
        refusals.push(JSON.stringify(error));
      }
    assert.deepEqual(new Set(refusals).size, 1);
    assert.match(refusals[0] ?? "", /"code":-32602/);
    const mismatch = await rpc(door, "tasks/get", { taskId: "task-0" }, { name: "task-9" });
    assert.deepEqual([mismatch.status, mismatch.error.code], [400, -32020]);
    assert.equal((await rpc(door, "tasks/get", { taskId: "task-0" })).result.status, "input_required");
  });
});
