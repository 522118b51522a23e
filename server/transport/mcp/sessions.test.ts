import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DoorSettings } from "../door-settings.ts";
import { TestDoor, type WireAnswer } from "../test-door.ts";

const ACCEPT = { accept: "application/json, text/event-stream" };

/** A client of the 2025 revisions on the bare wire. */
class OldClient {
  readonly door: TestDoor;
  readonly token: string;
  session: string | undefined;

  constructor(door: TestDoor, token = door.token) {
    this.door = door;
    this.token = token;
  }

  async initialize(capabilities: Record<string, unknown> = {}): Promise<WireAnswer> {
    this.session = undefined;
    const params = { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "old", version: "1" } };
    const answer = await this.send({ jsonrpc: "2.0", id: 0, method: "initialize", params });
    this.session = answer.headers.get("mcp-session-id") ?? undefined;
    if (this.session) await this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  call(name: string, args: Record<string, unknown> = {}, id = 1): Promise<WireAnswer> {
    return this.send({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: args } });
  }

  send(message: unknown, method = "POST"): Promise<WireAnswer> {
    return this.door.send("/mcp", JSON.stringify(message), this.headers(), method);
  }

  headers(): Record<string, string | undefined> {
    return { ...ACCEPT, authorization: `Bearer ${this.token}`, "mcp-session-id": this.session };
  }
}

async function openDoor(settings: Partial<DoorSettings> = {}) {
  const door = await TestDoor.open(settings);
  const client = new OldClient(door);
  assert.equal((await client.initialize()).json.result.protocolVersion, "2025-11-25");
  return { door, client };
}

describe("sessions of the 2025 revisions", () => {
  test("a session serves its principal alone; to another it does not exist", async () => {
    const { door, client } = await openDoor();
    await using _ = door;
    assert.equal((await client.call("system_test_echo", { text: "a" })).json.result.structuredContent.echoed, "a");
    const mallory = new OldClient(door, door.hub.admit("mallory"));
    mallory.session = client.session;
    const stolen = await mallory.call("system_test_echo");
    assert.equal(stolen.status, 404);
    const none = new OldClient(door);
    none.session = "no-such-session";
    const unknown = await none.call("system_test_echo");
    assert.equal(unknown.status, 404);
    assert.deepEqual(stolen.json.error, unknown.json.error);
    assert.equal((await mallory.send(undefined, "DELETE")).status, 404);
    assert.deepEqual(
      door.hub.refusals.map(({ code }) => code),
      ["NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
    );
    assert.equal((await client.call("system_test_echo", { text: "b" })).json.result.structuredContent.echoed, "b");
    // identity is looked at for each request, not once a session
    door.hub.banned.add("principal-alice");
    assert.equal((await client.call("system_test_echo")).status, 403);
  });

  test("a session that was ended is gone", async () => {
    const { door, client } = await openDoor();
    await using _ = door;
    assert.equal((await client.send(undefined, "DELETE")).status, 200);
    assert.equal((await client.call("system_test_echo")).status, 404);
    await client.initialize();
    assert.equal((await client.call("system_test_echo")).status, 200);
  });

  test("without a session there is no call, and a handshake that fails leaves none", async () => {
    await using door = await TestDoor.open();
    const client = new OldClient(door);
    assert.equal((await client.call("system_test_echo")).status, 400);
    const broken = await door.send(
      "/mcp",
      JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: {} }),
      client.headers(),
    );
    assert.equal(broken.status, 400);
    assert.equal(broken.headers.get("mcp-session-id"), null);
  });

  test("too many sessions of one principal end its oldest idle one; too many in all are refused", async () => {
    await using door = await TestDoor.open({ maxSessions: 3, maxSessionsPerPrincipal: 2 });
    const [first, second, third] = [new OldClient(door), new OldClient(door), new OldClient(door)] as const;
    for (const client of [first, second]) await client.initialize();
    await first.call("system_test_echo");
    await third.initialize();
    assert.equal((await first.call("system_test_echo")).status, 200);
    assert.equal((await second.call("system_test_echo")).status, 404);
    assert.equal((await new OldClient(door, door.hub.admit("bob")).initialize()).status, 200);
    const refused = await new OldClient(door, door.hub.admit("carol")).initialize();
    assert.equal(refused.status, 503);
    assert.equal(refused.json.error.data.code, "OVERLOADED");
    assert.equal((await first.call("system_test_echo")).status, 200);
  });

  test("a busy session is not ended for another", async () => {
    const { door, client } = await openDoor({ maxSessionsPerPrincipal: 1 });
    await using _ = door;
    const started = door.hub.nextRun();
    const waiting = client.call("system_test_wait", { text: "kept" });
    await started;
    assert.equal((await new OldClient(door).initialize()).status, 503);
    door.hub.gate.resolve();
    assert.equal((await waiting).json.result.structuredContent.echoed, "kept");
    assert.equal((await new OldClient(door).initialize()).status, 200);
  });

  test("an idle session ends by itself", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval", "Date"], now: 1_800_000_000_000 });
    const { door, client } = await openDoor({ sessionIdleMs: 60_000 });
    t.mock.timers.tick(50_000);
    assert.equal((await client.call("system_test_echo")).status, 200);
    t.mock.timers.tick(50_000);
    assert.equal((await client.call("system_test_echo")).status, 200);
    t.mock.timers.tick(90_000);
    assert.equal((await client.call("system_test_echo")).status, 404);
    t.mock.timers.reset();
    await door[Symbol.asyncDispose]();
  });

  test("a batch is read, a long one refused", async () => {
    const { door, client } = await openDoor();
    await using _ = door;
    const calls = (n: number) =>
      Array.from({ length: n }, (_, id) => ({
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params: { name: "system_test_echo" },
      }));
    assert.equal((await client.send(calls(2))).status, 200);
    assert.equal(door.hub.runs.length, 2);
    assert.equal((await client.send(calls(21))).status, 400);
    assert.equal(door.hub.runs.length, 2);
    const [good, bad] = calls(2);
    const mixed = await client.send([good, { ...bad, params: { name: "system_test_echo", arguments: 1 } }]);
    assert.equal(mixed.json.error.code, -32602);
    assert.equal(door.hub.runs.length, 2);
  });

  test("a cancelled call is aborted, and holds nothing any more", async () => {
    const { door, client } = await openDoor({ maxInFlight: 2 });
    await using _ = door;
    const started = door.hub.nextRun();
    const lost = client.call("system_test_wait", {}, 42);
    await started;
    const { signal } = door.hub.runs[0] ?? assert.fail();
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    const params = { requestId: 42, reason: "no longer wanted" };
    assert.equal((await client.send({ jsonrpc: "2.0", method: "notifications/cancelled", params })).status, 202);
    await aborted;
    assert.equal((await lost).text, "");
    assert.equal((await client.call("system_test_echo")).status, 200);
  });

  test("an open stream is no work: calls pass beside it", async () => {
    const { door, client } = await openDoor({ maxInFlight: 1 });
    await using _ = door;
    const stream = await fetch(door.mcpUrl, { headers: client.headers() as Record<string, string> });
    assert.equal(stream.status, 200);
    assert.equal((await client.call("system_test_echo")).status, 200);
    await client.send(undefined, "DELETE");
    assert.equal(await stream.text(), "");
  });

  test("closing the door ends sessions and their streams", async () => {
    const { door, client } = await openDoor();
    const stream = await fetch(door.mcpUrl, { headers: client.headers() as Record<string, string> });
    assert.equal(stream.status, 200);
    const ended = stream.text();
    await door.http.drain();
    assert.equal(await ended, "");
  });
});
