import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { HubError } from "../../errors.ts";
import { openCatalogueDoor } from "./fake-catalogue.ts";

type CatalogueDoor = Awaited<ReturnType<typeof openCatalogueDoor>>;

/** Opens `subscriptions/listen`; `next` is the next message on it. */
async function listen(door: CatalogueDoor, notifications: Record<string, unknown>, token = door.token) {
  const end = new AbortController();
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const response = await fetch(door.url, {
    method: "POST",
    signal: end.signal,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 5, method: "subscriptions/listen", params: { notifications, _meta } }),
  });
  const lines = response.body?.pipeThrough(new TextDecoderStream()).getReader() ?? assert.fail();
  let read = "";
  return {
    status: response.status,
    // oxlint-disable-next-line typescript/no-explicit-any -- whatever came back
    async next(): Promise<any> {
      for (;;) {
        const [, data] = /^data: (.*)\n/m.exec(read) ?? [];
        if (data !== undefined) {
          read = read.slice(read.indexOf(data) + data.length + 1);
          return JSON.parse(data);
        }
        const { value, done } = await lines.read();
        if (done) return undefined;
        read += value;
      }
    },
    end: () => end.abort(),
  };
}

describe("subscriptions/listen", () => {
  test("tells a caller what concerns them and what they asked for, and nothing else", async () => {
    await using door = await openCatalogueDoor();
    const stream = await listen(door, { toolsListChanged: true, resourceSubscriptions: ["fake://one"] });
    const acknowledged = await stream.next();
    assert.equal(acknowledged.method, "notifications/subscriptions/acknowledged");
    door.catalogue.tell("bob", { kind: "tools" });
    door.catalogue.tell("alice", { kind: "prompts" });
    door.catalogue.tell("alice", { kind: "resource", uri: "fake://two" });
    door.catalogue.tell("alice", { kind: "resource", uri: "fake://one" });
    door.catalogue.tell("alice", { kind: "tools" });
    const updated = await stream.next();
    assert.deepEqual([updated.method, updated.params.uri], ["notifications/resources/updated", "fake://one"]);
    assert.equal((await stream.next()).method, "notifications/tools/list_changed");
    stream.end();
  });

  /** The last message of a stream: the answer to the request that opened it. */
  function assertComplete(last: { id: unknown; result: { resultType: unknown } }): void {
    assert.deepEqual([last.id, last.result.resultType], [5, "complete"]);
  }

  test("ends with the door, by the protocol's last message, and is no work that the door waits for", async () => {
    const door = await openCatalogueDoor();
    const stream = await listen(door, { toolsListChanged: true });
    await stream.next();
    await door[Symbol.asyncDispose]();
    assertComplete(await stream.next());
    assert.equal(await stream.next(), undefined);
    assert.equal(door.catalogue.listeners, 0);
  });

  test("ends first when the door closes: calls that run are still answered", async () => {
    const door = await openCatalogueDoor();
    const stream = await listen(door, { toolsListChanged: true });
    await stream.next();
    const client = new Client({ name: "old", version: "1" });
    const requestInit = { headers: { authorization: `Bearer ${door.token}` } };
    await client.connect(new StreamableHTTPClientTransport(door.url, { requestInit }));
    const started = door.hub.nextRun();
    const call = client.callTool({ name: "system_test_wait", arguments: { text: "kept" } });
    await started;
    const drained = door[Symbol.asyncDispose]();
    assertComplete(await stream.next());
    door.hub.gate.resolve();
    assert.deepEqual((await call).structuredContent, { echoed: "kept" });
    await drained;
  });

  test("ends where its caller may not call any more; another's goes on", async () => {
    await using door = await openCatalogueDoor();
    const alices = await listen(door, { toolsListChanged: true });
    const bobs = await listen(door, { toolsListChanged: true }, door.hub.admit("bob"));
    await alices.next();
    await bobs.next();
    door.catalogue.lose("alice");
    assertComplete(await alices.next());
    assert.equal(await alices.next(), undefined);
    assert.equal(door.catalogue.listeners, 1);
    door.catalogue.tell("bob", { kind: "tools" });
    assert.equal((await bobs.next()).method, "notifications/tools/list_changed");
    bobs.end();
  });

  test("ends as soon as it is open, where its caller was lost or the door closed meanwhile", async () => {
    await using door = await openCatalogueDoor();
    door.catalogue.afterFollowing = () => door.catalogue.lose("alice");
    const stream = await listen(door, { toolsListChanged: true });
    const messages = [await stream.next(), await stream.next()];
    assert.equal(messages[0]?.method, "notifications/subscriptions/acknowledged");
    assertComplete(messages[1]);
    assert.equal(door.catalogue.listeners, 0);
  });

  test("what is no subscription, or is about too much, is refused and leaves nothing behind", async () => {
    await using door = await openCatalogueDoor();
    const uris = Array.from({ length: 101 }, (_, index) => `fake://${index}`);
    assert.equal((await listen(door, { resourceSubscriptions: uris })).status, 503);
    const nothing = await listen(door, {});
    assert.equal((await nothing.next()).method, "notifications/subscriptions/acknowledged");
    (await listen(door, { toolsListChanged: "yes" })).end();
    assert.equal(door.catalogue.listeners, 0);
    const stream = await listen(door, { resourceSubscriptions: uris.slice(1) });
    assert.equal((await stream.next()).params.notifications.resourceSubscriptions.length, 100);
    assert.equal(door.catalogue.listeners, 1);
    stream.end();
  });

  test("what is new while a stream opens is told on it, after it has said that it is open", async () => {
    await using door = await openCatalogueDoor();
    door.catalogue.whileFollowing = (tell) => tell({ kind: "tools" });
    const stream = await listen(door, { toolsListChanged: true });
    assert.equal((await stream.next()).method, "notifications/subscriptions/acknowledged");
    assert.equal((await stream.next()).method, "notifications/tools/list_changed");
    stream.end();
  });

  test("a stream that cannot follow is not opened, and takes no place", async () => {
    await using door = await openCatalogueDoor();
    for (let index = 0; index < 21; index++) {
      door.catalogue.whileFollowing = () => {
        throw new HubError("STORE_UNAVAILABLE", "The database does not answer.");
      };
      assert.equal((await listen(door, { toolsListChanged: true })).status, 503);
    }
    door.catalogue.whileFollowing = () => {};
    const stream = await listen(door, { toolsListChanged: true });
    assert.equal((await stream.next()).method, "notifications/subscriptions/acknowledged");
    stream.end();
  });

  test("one principal has twenty at a time; another has theirs", async () => {
    await using door = await openCatalogueDoor();
    const streams = [];
    for (let index = 0; index < 20; index++) {
      const stream = await listen(door, { toolsListChanged: true });
      await stream.next();
      streams.push(stream);
    }
    assert.equal((await listen(door, { toolsListChanged: true })).status, 503);
    const bobs = await listen(door, { toolsListChanged: true }, door.hub.admit("bob"));
    assert.equal(bobs.status, 200);
    assert.equal(door.catalogue.listeners, 21);
    for (const stream of [...streams, bobs]) stream.end();
  });
});

test("a session ends where its caller may not call any more", async () => {
  await using door = await openCatalogueDoor();
  const client = new Client({ name: "old", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${door.token}` } };
  const transport = new StreamableHTTPClientTransport(door.url, { requestInit });
  const followed = door.catalogue.followed();
  await client.connect(transport);
  await followed;
  const headers = {
    authorization: `Bearer ${door.token}`,
    accept: "text/event-stream",
    "mcp-session-id": transport.sessionId ?? "",
    "mcp-protocol-version": "2025-11-25",
  };
  door.catalogue.lose("alice");
  assert.equal(door.catalogue.listeners, 0);
  assert.equal((await fetch(door.url, { headers })).status, 404, "its session is gone");
  await client.close();
});

test("a session whose caller was lost while it opened is none, and leaves nothing behind", async () => {
  await using door = await openCatalogueDoor();
  door.catalogue.afterFollowing = () => door.catalogue.lose("alice");
  const client = new Client({ name: "old", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${door.token}` } };
  await assert.rejects(client.connect(new StreamableHTTPClientTransport(door.url, { requestInit })));
  assert.equal(door.catalogue.listeners, 0);
  door.catalogue.afterFollowing = () => {};
  await client.connect(new StreamableHTTPClientTransport(door.url, { requestInit }));
  assert.equal(door.catalogue.listeners, 1);
  await client.close();
});

test("a session is told of lists and of the resources that it asked for, until it ends", async () => {
  await using door = await openCatalogueDoor();
  const client = new Client({ name: "old", version: "1" });
  const told: string[] = [];
  const last = Promise.withResolvers<void>();
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    told.push("tools");
    last.resolve();
  });
  const transport = new StreamableHTTPClientTransport(door.url, {
    requestInit: { headers: { authorization: `Bearer ${door.token}` } },
  });
  await client.connect(transport);
  await client.subscribeResource({ uri: "fake://one" });
  await client.subscribeResource({ uri: "fake://two" });
  await client.unsubscribeResource({ uri: "fake://two" });
  door.catalogue.tell("bob", { kind: "tools" });
  door.catalogue.tell("alice", { kind: "resource", uri: "fake://two" });
  door.catalogue.tell("alice", { kind: "resource", uri: "fake://one" });
  door.catalogue.tell("alice", { kind: "tools" });
  await last.promise;
  assert.deepEqual(told, ["fake://one", "tools"]);
  await transport.terminateSession();
  assert.equal(door.catalogue.listeners, 0);
  await client.close();
});
