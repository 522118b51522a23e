import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, type ClientOptions } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { HubError } from "../../server/errors.ts";
import { TestDoor } from "../../server/transport/test-door.ts";
import { bridge } from "./bridge.ts";
import type { HubAddress } from "./hub-connection.ts";

const BRIDGE = fileURLToPath(new URL("bridge-process.ts", import.meta.url));
const ME = { name: "test", version: "1" };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever came back
type Answer = any;

/** A client that speaks lines to a bridge in this process. */
class LineClient implements AsyncDisposable {
  readonly input = new PassThrough();
  readonly output = new PassThrough();
  readonly received: Answer[] = [];
  readonly done: Promise<void>;
  readonly #waiting: { matches: (message: Answer) => boolean; resolve: (message: Answer) => void }[] = [];

  constructor(hub: () => HubAddress, revive?: () => Promise<void>) {
    this.done = bridge({ hub, ...(revive && { revive }), input: this.input, output: this.output });
    let rest = "";
    this.output.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#receive(JSON.parse(line));
    });
  }

  static to(door: TestDoor): LineClient {
    return new LineClient(() => ({ url: door.http.url, token: door.token }));
  }

  say(message: unknown): void {
    this.input.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  }

  /** Resolves with the answer to this request. */
  ask(id: string | number, method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const answer = this.next((message) => message.id === id && message.method === undefined);
    this.say({ jsonrpc: "2.0", id, method, params });
    return answer;
  }

  askModern(id: string | number, method: string, params: Record<string, unknown> = {}): Promise<Answer> {
    return this.ask(id, method, { ...params, _meta: META });
  }

  async initialize(): Promise<Answer> {
    const answer = await this.ask("hello", "initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: ME,
    });
    this.say({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  next(matches: (message: Answer) => boolean): Promise<Answer> {
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.input.end();
    await this.done;
  }

  #receive(message: Answer): void {
    this.received.push(message);
    const index = this.#waiting.findIndex(({ matches }) => matches(message));
    if (index !== -1) this.#waiting.splice(index, 1)[0]?.resolve(message);
  }
}

const echo = (text: string) => ({ name: "system_test_echo", arguments: { text } });

describe("real clients through a bridge of their own", () => {
  const parameters = (door: TestDoor) => ({ command: process.execPath, args: [BRIDGE, door.http.url, door.token] });
  const confirmed = { action: "accept" as const, content: { confirm: true } };

  async function v2(door: TestDoor, mode: NonNullable<ClientOptions["versionNegotiation"]>["mode"]) {
    const client = new Client(ME, {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { ...(mode && { mode }) },
    });
    client.setRequestHandler("elicitation/create", async () => confirmed);
    await client.connect(new StdioClientTransport(parameters(door)));
    return client;
  }

  async function v1(door: TestDoor) {
    const client = new OldClient(ME, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, async () => confirmed);
    await client.connect(new OldTransport(parameters(door)));
    return client;
  }

  const clients: Record<string, (door: TestDoor) => Promise<Client | OldClient>> = {
    "SDK v2, revision 2026-07-28": (door) => v2(door, { pin: "2026-07-28" }),
    "SDK v2, negotiating": (door) => v2(door, "auto"),
    "SDK v2, a 2025 revision": (door) => v2(door, "legacy"),
    "SDK v1": v1,
  };

  for (const [name, connect] of Object.entries(clients)) {
    test(name, async () => {
      await using door = await TestDoor.open();
      const client = (await connect(door)) as Client;
      const { tools } = await client.listTools();
      assert.ok(tools.some((tool) => tool.name === "system_test_echo"));
      const call = (verb: string, value = "x") =>
        client.callTool({ name: `system_test_${verb}`, arguments: { text: value } });
      assert.deepEqual((await call("echo", "hello")).structuredContent, { echoed: "hello" });
      assert.equal((await call("refuse")).isError, true);
      assert.deepEqual((await call("wipe", "v1")).structuredContent, { echoed: "v1" });
      const several = await Promise.all(["a", "b", "c"].map((value) => call("echo", value)));
      assert.deepEqual(
        several.map((result) => (result.structuredContent as { echoed: string }).echoed),
        ["a", "b", "c"],
      );
      await assert.rejects(call("nothing"), /no such action/);
      await client.close();
    });
  }

  test("several at a time, each with a bridge and a revision of its own", async () => {
    await using door = await TestDoor.open();
    const all = await Promise.all(Object.values(clients).map((connect) => connect(door) as Promise<Client>));
    const results = await Promise.all(all.map((client, i) => client.callTool(echo(String(i)))));
    assert.deepEqual(
      results.map((result) => (result.structuredContent as { echoed: string }).echoed),
      ["0", "1", "2", "3"],
    );
    await Promise.all(all.map((client) => client.close()));
  });

  test("the process writes messages alone, and ends when its client closes", async () => {
    await using door = await TestDoor.open();
    const child = spawn(process.execPath, [BRIDGE, door.http.url, door.token], { stdio: ["pipe", "pipe", "pipe"] });
    const [written, told] = [text(child.stdout), text(child.stderr)];
    child.stdin.end(
      `${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...echo("last"), _meta: META } })}\n`,
    );
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    assert.equal(JSON.parse(await written).result.structuredContent.echoed, "last");
    assert.equal(await told, "");
  });
});

describe("lines", () => {
  test("are read however they are cut, and what is no message is told so", async () => {
    await using door = await TestDoor.open();
    await using client = LineClient.to(door);
    const line = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { ...echo("a\u2028ü😀"), _meta: META },
    });
    const answer = client.next((message) => message.id === 1);
    for (const byte of Buffer.from(`\r\n\n${line}\r\n`)) client.input.write(Buffer.of(byte));
    assert.equal((await answer).result.structuredContent.echoed, "a\u2028ü😀");
    for (const bad of ["{", "7", '"text"', "[1]"]) {
      const refused = client.next((message) => message.id === null);
      client.say(bad);
      assert.equal((await refused).error.code, -32700);
    }
    assert.equal((await client.askModern(2, "tools/call", echo("b"))).result.structuredContent.echoed, "b");
  });

  test("reach the hub as they are: what it refuses, it refuses through a bridge too", async () => {
    await using door = await TestDoor.open({ maxBodyBytes: 5000 });
    await using client = LineClient.to(door);
    const refused = client.next((message) => message.id === 1);
    const meta = JSON.stringify(META);
    client.say(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"system_test_echo","arguments":{"text":"a","text":"b"},"_meta":${meta}}}`,
    );
    assert.equal((await refused).error.data.code, "INPUT_INVALID");
    const large = await client.askModern(2, "tools/call", echo("a".repeat(10_000)));
    assert.equal(large.error.data.code, "INPUT_TOO_LARGE");
    assert.equal((await client.askModern(3, "no/such")).error.code, -32601);
    assert.equal(door.hub.runs.length, 0);
  });

  test("a name beyond ASCII passes in its header", async () => {
    await using door = await TestDoor.open();
    await using client = LineClient.to(door);
    for (const name of ["wörk", " padded ", "=?base64?eA==?=", "日本"]) {
      const { error } = await client.askModern(name, "tools/call", { name, arguments: {} });
      assert.equal(error.data.code, "ACTION_UNKNOWN", name);
    }
  });
});

describe("calling off", () => {
  test("a call of either kind is aborted at the hub, and only that one", async () => {
    await using door = await TestDoor.open();
    await using client = LineClient.to(door);
    await client.initialize();
    for (const meta of [{}, { _meta: META }]) {
      const started = door.hub.nextRun();
      client.say({
        jsonrpc: "2.0",
        id: 5,
        method: "tools/call",
        params: { name: "system_test_wait", arguments: {}, ...meta },
      });
      await started;
      const { signal } = door.hub.runs.at(-1) ?? assert.fail();
      const aborted = once(signal, "abort");
      client.say({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "5", ...meta } });
      const { result } = await client.ask(6, "tools/call", { ...echo("kept"), ...meta });
      assert.equal(result.structuredContent.echoed, "kept");
      assert.equal(signal.aborted, false, 'the request "5" is not the request 5');
      client.say({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 5, ...meta } });
      await aborted;
    }
    assert.ok(!client.received.some((message) => message.id === 5));
  });
});

describe("a hub that goes and comes", () => {
  test("none there: each request learns how to start one, and finds it once it runs", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, "close");
    let address: HubAddress = { url: `http://127.0.0.1:${port}`, token: "cs_none" };
    await using client = new LineClient(() => address);
    const refused = await client.askModern(1, "tools/list");
    assert.equal(refused.error.data.code, "HUB_UNREACHABLE");
    assert.match(refused.error.message, /npx countersign start/);
    const old = await client.ask(2, "initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: ME });
    assert.match(old.error.message, /npx countersign start/);
    await using door = await TestDoor.open({ port });
    address = { url: door.http.url, token: door.token };
    assert.equal((await client.askModern(3, "tools/call", echo("a"))).result.structuredContent.echoed, "a");
  });

  test("none there: one is brought up, once for all requests that found none, and they are carried to it", async () => {
    const last = await TestDoor.open();
    await last.http.drain();
    let address: HubAddress = { url: last.http.url, token: last.token };
    await using stack = new AsyncDisposableStack();
    let times = 0;
    const client = stack.use(
      new LineClient(
        () => address,
        async () => {
          times++;
          const door = stack.use(await TestDoor.open());
          address = { url: door.http.url, token: door.token };
        },
      ),
    );
    const answers = await Promise.all(
      ["a", "b", "c"].map((text, id) => client.askModern(id, "tools/call", echo(text))),
    );
    assert.deepEqual(
      answers.map(({ result }) => result.structuredContent.echoed),
      ["a", "b", "c"],
    );
    assert.equal((await client.askModern(4, "tools/call", echo("d"))).result.structuredContent.echoed, "d");
    assert.equal(times, 1);
  });

  test("none there and none to be had: each request is told why, and the next one tries again", async () => {
    const last = await TestDoor.open();
    await last.http.drain();
    let times = 0;
    await using client = new LineClient(
      () => ({ url: last.http.url, token: last.token }),
      async () => {
        times++;
        throw new HubError("DATA_FOLDER_UNUSABLE", "The disk is full.");
      },
    );
    for (const id of [1, 2])
      assert.equal((await client.askModern(id, "tools/list")).error.data.code, "DATA_FOLDER_UNUSABLE");
    assert.equal(times, 2);
  });

  test("no address yet: the client is told what is missing", async () => {
    await using client = new LineClient(() => {
      throw new HubError("CONFIG_INVALID", "There is no hub in this config folder.");
    });
    assert.equal((await client.askModern(1, "tools/list")).error.data.code, "CONFIG_INVALID");
    assert.equal((await client.ask(2, "tools/list")).error.message, "There is no hub in this config folder.");
  });

  test("a session that was lost is opened anew, without the client", async () => {
    let door = await TestDoor.open();
    const { port } = door.http;
    await using client = new LineClient(() => ({ url: door.http.url, token: door.token }));
    const first = await client.initialize();
    assert.equal((await client.ask(1, "tools/call", echo("a"))).result.structuredContent.echoed, "a");
    await door[Symbol.asyncDispose]();
    assert.equal((await client.ask(2, "tools/call", echo("lost"))).error.data.code, "HUB_UNREACHABLE");
    door = await TestDoor.open({ port });
    const several = await Promise.all([3, 4, 5].map((id) => client.ask(id, "tools/call", echo(String(id)))));
    assert.deepEqual(
      several.map(({ result }) => result.structuredContent.echoed),
      ["3", "4", "5"],
    );
    assert.equal(
      client.received.filter((message) => message.id === "hello").length,
      1,
      "the handshake was not repeated to the client",
    );
    assert.equal(first.result.protocolVersion, "2025-11-25");
    await door[Symbol.asyncDispose]();
  });

  test("what comes while a session is opened anew waits for it", async () => {
    let sessions = 0;
    const opening = Promise.withResolvers<void>();
    const reopened = Promise.withResolvers<void>();
    const unbound: string[] = [];
    const { server, url } = await plainHub(async (request, response) => {
      const message = JSON.parse(request.body || "{}");
      const session = request.headers["mcp-session-id"];
      if (message.method === "initialize") {
        sessions++;
        if (sessions === 2) {
          opening.resolve();
          await reopened.promise;
        }
        response.setHeader("mcp-session-id", `s${sessions}`);
      } else if (session === undefined) unbound.push(message.method);
      else if (session === "s1" && message.id === 1) return void response.writeHead(404).end();
      response.setHeader("content-type", "application/json");
      response.end(
        message.id === undefined ? "" : JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { session } }),
      );
    });
    await using client = new LineClient(() => ({ url, token: "cs_x" }));
    await client.initialize();
    const first = client.ask(1, "tools/list");
    await opening.promise;
    const second = client.ask(2, "tools/list");
    reopened.resolve();
    assert.equal((await first).result.session, "s2");
    assert.equal((await second).result.session, "s2");
    assert.deepEqual(unbound, []);
    server.close();
  });

  test("a hub that dies during a call: the client is told that nobody knows", async () => {
    const { server, url } = await plainHub((request) => request.socket.destroy());
    await using client = new LineClient(
      () => ({ url, token: "cs_x" }),
      async () => assert.fail("what a hub may have read is sent to no other"),
    );
    const lost = await client.askModern(1, "tools/call", echo("a"));
    assert.equal(lost.error.data.code, "HUB_UNREACHABLE");
    assert.match(lost.error.message, /journal/);
    server.close();
  });

  test("something else at the hub's address is told as such", async () => {
    const { server, url } = await plainHub((_, response) =>
      response.writeHead(404, { "content-type": "text/html" }).end("<h1>no</h1>"),
    );
    await using client = new LineClient(() => ({ url, token: "cs_x" }));
    assert.match((await client.askModern(1, "tools/list")).error.message, /HTTP 404/);
    server.close();
  });

  test("a token that does not count is told to who asked", async () => {
    await using door = await TestDoor.open();
    await using client = new LineClient(() => ({ url: door.http.url, token: "cs_wrong" }));
    assert.equal((await client.askModern(1, "tools/list")).error.data.code, "UNAUTHENTICATED");
    assert.equal((await client.ask("b", "tools/list")).error.data.code, "UNAUTHENTICATED");
    client.say({ jsonrpc: "2.0", method: "notifications/initialized" });
    assert.equal((await client.askModern(2, "tools/list")).error.data.code, "UNAUTHENTICATED");
    assert.equal(client.received.length, 3, "a notification is not answered");
  });
});

test("what a hub streams comes out in its order, the answer last", async () => {
  const messages = [
    ...[1, 2, 3].map((progress) => ({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { progressToken: 1, progress },
    })),
    { jsonrpc: "2.0", id: 1, result: { resultType: "complete" } },
  ];
  const { server, url, requests } = await plainHub((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const message of messages) response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    response.end();
  });
  await using client = new LineClient(() => ({ url, token: "cs_x" }));
  await client.askModern(1, "tools/call", { name: "a" });
  assert.deepEqual(client.received, messages);
  const { headers } = requests[0] ?? assert.fail();
  assert.equal(headers.authorization, "Bearer cs_x");
  assert.deepEqual(
    [headers["mcp-protocol-version"], headers["mcp-method"], headers["mcp-name"]],
    ["2026-07-28", "tools/call", "a"],
  );
  server.close();
});

test("a client that leaves calls off what still runs, and ends its session", async () => {
  await using door = await TestDoor.open();
  const client = LineClient.to(door);
  await client.initialize();
  const signals = [];
  for (const meta of [{}, { _meta: META }]) {
    const started = door.hub.nextRun();
    client.say({
      jsonrpc: "2.0",
      id: 1 + signals.length,
      method: "tools/call",
      params: { name: "system_test_wait", ...meta },
    });
    await started;
    signals.push(door.hub.runs.at(-1)?.signal ?? assert.fail());
  }
  const aborted = Promise.all(signals.map((signal) => once(signal, "abort")));
  client.input.end();
  await client.done;
  await aborted;
});

async function plainHub(answer: (request: IncomingMessage & { body: string }, response: ServerResponse) => unknown) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    text(request).then(
      (body) => answer(Object.assign(request, { body }), response),
      () => {},
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
