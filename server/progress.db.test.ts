/** How far long work is, told over the wire: to clients of every revision, over stdio, and to who follows events. */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { after, before, describe, test } from "node:test";
import { Client, StreamableHTTPClientTransport, type VersionNegotiationOptions } from "@modelcontextprotocol/client";
import { AGENT } from "../cli/context.ts";
import { bridge } from "../cli/stdio/bridge.ts";
import { GitopsFixture } from "./gitops.fixture.ts";
import { SilentServer } from "./silent-server.fixture.ts";
import { ask, eventually, moduleNamed } from "./test-hub.ts";

const PUT = "system_fleet_put_object";
const GET = "system_operations_get";
const MODERN = "2026-07-28";

let silent: SilentServer;
let git: GitopsFixture;
before(async () => {
  silent = await SilentServer.open();
  git = await GitopsFixture.open({ COUNTERSIGN_EGRESS_ALLOW: `localhost:${silent.port}` });
  await git.register("silent", silent.url);
});
after(async () => {
  await git[Symbol.asyncDispose]();
  silent[Symbol.dispose]();
});

interface Told {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** Calls a tool, and answers with its result when it has it; `told` gets each progress notification as it comes. */
type CallTool = (args: Readonly<Record<string, unknown>>, told: (progress: Told) => void) => Promise<unknown>;

/** A client of the SDK's that speaks this revision. */
async function connect(
  mode: NonNullable<VersionNegotiationOptions["mode"]>,
): Promise<{ call: CallTool } & AsyncDisposable> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: { authorization: `Bearer ${git.ada.token(AGENT)}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(git.hub.url), { requestInit }));
  return {
    call: (args, told) => client.callTool({ name: GET, arguments: args }, { onprogress: told }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The stdio bridge, and a client that writes one request and reads lines until it is answered. */
async function overStdio(modern: boolean): Promise<{ call: CallTool } & AsyncDisposable> {
  const [input, output] = [new PassThrough(), new PassThrough({ encoding: "utf8" })];
  const bridging = bridge({ hub: () => ({ url: git.hub.url, token: git.ada.token(AGENT) }), input, output });
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  const say = (message: object) => void input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever came back
  const next = async (): Promise<any> => JSON.parse((await lines.next()).value as string);
  if (!modern) {
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    say({ id: 0, method: "initialize", params });
    assert.equal((await next()).id, 0);
    say({ method: "notifications/initialized" });
  }
  const era = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return {
    async call(args, told) {
      const _meta = { ...(modern && era), progressToken: "p" };
      say({ id: 1, method: "tools/call", params: { name: GET, arguments: args, _meta } });
      for (;;) {
        const message = await next();
        if (message.id === 1) return message.result;
        if (message.method !== "notifications/progress") continue;
        assert.equal(message.params.progressToken, "p");
        told(message.params);
      }
    },
    async [Symbol.asyncDispose]() {
      input.end();
      output.resume();
      await bridging;
    },
  };
}

const clients = {
  "revision 2026-07-28": () => connect({ pin: MODERN }),
  "a 2025 revision": () => connect("legacy"),
  "stdio, revision 2026-07-28": () => overStdio(true),
  "stdio, a 2025 revision": () => overStdio(false),
} as const;

function assertGrowing(told: readonly Told[]): void {
  for (const [index, { progress }] of told.entries())
    assert.ok(index === 0 || progress > (told[index - 1]?.progress ?? 0), JSON.stringify(told));
}

for (const [name, open] of Object.entries(clients))
  describe(`a client of ${name} that waits`, () => {
    test("for people is told at first and at the end, before its answer", async () => {
      await using client = await open();
      const operationId = await ask(git.agent, PUT, { object: moduleNamed(name.replaceAll(/[^a-z0-9]+/g, "-")) });
      const told: Told[] = [];
      const first = Promise.withResolvers<void>();
      const answer = client.call({ operationId, waitSeconds: 25 }, (progress) => {
        told.push(progress);
        first.resolve();
      });
      await Promise.race([first.promise, answer]);
      await git.ada.decide(git.hub, operationId);
      const { structuredContent } = (await answer) as { structuredContent: { operation: { state: string } } };
      assert.equal(structuredContent.operation.state, "completed");
      assert.deepEqual([told[0]?.progress, told[0]?.total], [0, 2]);
      assert.match(told[0]?.message ?? "", /^Waiting for 1 of 1 approval/);
      assert.deepEqual([told.at(-1)?.progress, told.at(-1)?.message], [2, "Approved and carried out."]);
      assertGrowing(told);
    });

    test("for a sync is told how far it is", async () => {
      await using client = await open();
      const operationId = await git.begin("silent");
      await silent.connected();
      const told: Told[] = [];
      const answer = client.call({ operationId, waitSeconds: 25 }, (progress) => {
        told.push(progress);
        silent.hangUp();
      });
      const { structuredContent } = (await answer) as { structuredContent: { operation: { state: string } } };
      assert.equal(structuredContent.operation.state, "failed");
      assert.equal(told.at(-1)?.total, 4);
      assertGrowing(told);
    });
  });

test("a call that does not ask for progress is told none", async () => {
  const operationId = await ask(git.agent, PUT, { object: moduleNamed("not-asked") });
  const response = await fetch(git.hub.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${git.ada.token(AGENT)}`,
      "mcp-protocol-version": MODERN,
      "mcp-method": "tools/call",
      "mcp-name": GET,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: GET,
        arguments: { operationId, waitSeconds: 1 },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": MODERN,
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  });
  assert.doesNotMatch(await response.text(), /notifications\/progress/);
});

interface ListedEvent {
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of an operation, once its last one has its place. */
function eventsOf(operationId: string, last: string): Promise<ListedEvent[]> {
  return eventually(`the event ${last}`, async () => {
    const { output } = await git.agent.done("system_events_list", { subject: `operations/${operationId}` });
    const items = output["items"] as ListedEvent[];
    return items.some(({ type }) => type === last) ? items : undefined;
  });
}

test("events tell of progress, and of every end", async () => {
  const repository = await git.repository("told");
  repository.commitFleet();
  const done = await git.sync("told");
  const events = await eventsOf(done.id, "operations.completed");
  const [first, ...rest] = events;
  assert.equal(first?.type, "operations.progressed");
  assert.deepEqual([first.data["kind"], first.data["done"], first.data["total"]], ["gitops.sync", 0, 4]);
  assert.deepEqual(
    events.filter(({ type }) => type !== "operations.progressed").map(({ type }) => type),
    ["operations.completed"],
  );
  assert.equal(events.at(-1)?.type, "operations.completed");
  assert.equal(events.at(-1)?.data["sentence"], done.progress.sentence);
  for (const [index, { type, at }] of rest.entries())
    if (type === "operations.progressed")
      assert.ok(Date.parse(at) - Date.parse(events[index]?.at ?? "") > 900, JSON.stringify(events));

  const cancelled = await git.begin("silent");
  await silent.connected();
  await git.operator.done("system_operations_cancel", { operationId: cancelled });
  assert.equal((await eventsOf(cancelled, "operations.cancelled")).at(-1)?.type, "operations.cancelled");
  await silent.left();
});

test("a chat that follows an operation hears of its progress", async () => {
  const client = new Client({ name: "chat", version: "1" }, { versionNegotiation: { mode: { pin: MODERN } } });
  const requestInit = { headers: { authorization: `Bearer ${git.ada.token(AGENT)}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(git.hub.url), { requestInit }));
  const operationId = await git.begin("silent");
  const uri = `countersign://operations/${operationId}`;
  const heard = Promise.withResolvers<void>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    if (params.uri === uri) heard.resolve();
  });
  await client.listen({ resourceSubscriptions: [uri] });
  await silent.connected();
  silent.hangUp();
  await heard.promise;
  await client.close();
});
