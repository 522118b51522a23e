/** Rate limits at a real door: who pays, what is told, what is recorded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../errors.ts";
import { DEFAULT_DOOR_SETTINGS } from "./door-settings.ts";
import { FakeDoor } from "./fake-door.ts";
import { openHttpDoor } from "./http-server.ts";
import { TestDoor } from "./test-door.ts";

const ECHO = "/v1/actions/system_test_echo";
const auth = (token: string) => ({ authorization: `Bearer ${token}` });

describe("one principal's calls", () => {
  test("beyond its rate are refused at both doors, with the seconds to wait; another principal's are not", async () => {
    await using door = await TestDoor.open({ ratePerPrincipal: 6 });
    for (let n = 0; n < 3; n++) {
      assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
      assert.equal((await door.call("system_test_echo")).status, 200);
    }
    const plain = await door.send(ECHO, "{}", auth(door.token));
    assert.deepEqual([plain.status, plain.json.code], [429, "RATE_LIMITED"]);
    const seconds = plain.json.details.retryAfterSeconds;
    assert.ok(seconds >= 1 && seconds <= 10);
    assert.equal(plain.headers.get("retry-after"), String(seconds));
    const mcp = await door.call("system_test_echo");
    assert.equal(mcp.status, 429);
    assert.equal(mcp.headers.get("retry-after"), String(mcp.json.error.data.details.retryAfterSeconds));
    assert.equal(mcp.json.error.data.code, "RATE_LIMITED");
    assert.match(mcp.json.error.message, /again in \d+ seconds|in a second/);
    const bob = door.hub.admit("bob");
    assert.equal((await door.send(ECHO, "{}", auth(bob))).status, 200);
    assert.equal((await door.call("system_test_echo", {}, { token: bob })).status, 200);
    assert.equal(door.hub.runs.length, 8);
  });

  test("that are refused are recorded as its own, and no more of them than the journal should take", async () => {
    await using door = await TestDoor.open({ ratePerPrincipal: 1 });
    assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
    for (let n = 0; n < 60; n++) assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 429);
    const { refusals } = door.hub;
    assert.ok(refusals.length >= 10 && refusals.length < 60, String(refusals.length));
    for (const { code, facts } of refusals)
      assert.deepEqual([code, facts.caller?.principal.id, facts.channel], ["RATE_LIMITED", "principal-alice", "http"]);
    assert.match(door.hub.lines.join(""), /"principal":"principal-alice".*"msg":"refusals were not recorded/);
  });

  test("count each by itself where one request holds several", async () => {
    await using door = await TestDoor.open({ ratePerPrincipal: 10 });
    const batch = (length: number) =>
      door.send(
        "/mcp",
        JSON.stringify(Array.from({ length }, (_, id) => ({ jsonrpc: "2.0", id, method: "ping" }))),
        auth(door.token),
      );
    // without a session none of them is answered; they are paid for all the same
    assert.equal((await batch(8)).status, 400);
    assert.equal((await batch(8)).status, 429);
    assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
  });

  test("are not limited where the limit is off", async () => {
    await using door = await TestDoor.open({ ratePerPrincipal: 0 });
    for (let n = 0; n < 50; n++) assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
  });
});

describe("wrong tokens from one address", () => {
  const guesses = async (door: TestDoor, times: number, path = ECHO) => {
    const codes: string[] = [];
    for (let n = 0; n < times; n++) {
      const { json } = await door.send(path, "{}", auth(`cs_wrong_${n}`));
      codes.push(json.code ?? json.error.data.code);
    }
    return codes;
  };

  test("are not even looked up after a while; what was known goes on, at both doors", async () => {
    await using door = await TestDoor.open({ ratePerAddress: 4 });
    assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
    assert.deepEqual(await guesses(door, 3), ["UNAUTHENTICATED", "UNAUTHENTICATED", "UNAUTHENTICATED"]);
    assert.deepEqual(await guesses(door, 2, "/mcp"), ["UNAUTHENTICATED", "RATE_LIMITED"]);
    assert.equal(door.hub.strangers.length, 4);
    assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
    assert.equal((await door.call("system_test_echo")).status, 200);
    // one that was never seen waits, since it may be one more guess
    const refused = await door.send(ECHO, "{}", auth(door.hub.admit("bob")));
    assert.deepEqual([refused.status, refused.json.code], [429, "RATE_LIMITED"]);
    assert.ok(Number(refused.headers.get("retry-after")) <= 15);
  });

  test("from another address are counted there", async () => {
    // the whole of 127/8 is this machine
    await using door = await TestDoor.open({ ratePerAddress: 2, host: "0.0.0.0" });
    const from = (localAddress: string, token: string) => door.sendFrom(localAddress, ECHO, auth(token));
    for (let n = 0; n < 2; n++) assert.equal(await from("127.0.0.1", "cs_wrong"), 401);
    assert.equal(await from("127.0.0.1", "cs_wrong"), 429);
    assert.equal(await from("127.0.0.2", "cs_wrong"), 401);
    assert.equal(await from("127.0.0.2", door.hub.admit("bob")), 200);
  });

  test("are no requests without a token, nor pages' requests: a browser cannot be made to lock its user out", async () => {
    await using door = await TestDoor.open({ ratePerAddress: 2 });
    for (let n = 0; n < 5; n++) {
      assert.equal((await door.send("/mcp", "", {}, "GET")).status, 401);
      assert.equal((await door.send(ECHO, "{}", { origin: "http://evil.example", ...auth("cs_wrong") })).status, 403);
    }
    assert.equal((await door.send(ECHO, "{}", auth(door.token))).status, 200);
  });

  test("are recorded as a stranger's, within bounds", async () => {
    await using door = await TestDoor.open({ ratePerAddress: 1 });
    const codes = await guesses(door, 100);
    assert.ok(codes.slice(1).every((code) => code === "RATE_LIMITED"));
    const { refusals } = door.hub;
    assert.ok(refusals.length >= 40 && refusals.length < 100, String(refusals.length));
    assert.ok(refusals.every(({ code, facts }) => code === "RATE_LIMITED" && facts.caller === undefined));
  });
});

test("a store that is away is told to the log, and the door goes on", async () => {
  const hub = new FakeDoor();
  const token = hub.admit("alice");
  const away = { spend: () => Promise.reject(new HubError("STORE_UNAVAILABLE", "The database does not answer.")) };
  await using http = await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, ratePerPrincipal: 3 }, away);
  const statuses = [];
  for (let n = 0; n < 5; n++) {
    const init = { method: "POST", headers: { ...auth(token), "content-type": "application/json" }, body: "{}" };
    statuses.push((await fetch(http.url + ECHO, init)).status);
  }
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  assert.match(hub.lines.join(""), /rate limits are this process's own for now/);
});
