import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { DEFAULT_DOOR_SETTINGS } from "../../server/transport/door-settings.ts";
import { FakeDoor } from "../../server/transport/fake-door.ts";
import { openHttpDoor } from "../../server/transport/http-server.ts";
import { Forwarder } from "./forwarder.ts";

async function open() {
  const rooms = new AsyncDisposableStack();
  const forwarder = rooms.use(await Forwarder.open());
  const hub = new FakeDoor();
  const door = rooms.use(await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, allowedOrigins: [forwarder.origin] }));
  forwarder.leadTo(door.url, hub.admit("suite"));
  return { forwarder, hub, [Symbol.asyncDispose]: () => rooms.disposeAsync() };
}

/** The status of an action that is called with these headers. */
async function call({ port }: Forwarder, headers: Record<string, string>): Promise<number | undefined> {
  const path = "/v1/actions/system_test_echo";
  const outgoing = request({ host: "127.0.0.1", port, path, method: "POST", headers });
  outgoing.end("{}");
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  outgoing.once("error", reject);
  outgoing.once("response", (response) => void text(response).then(() => resolve(response.statusCode), reject));
  return promise;
}

describe("the forwarder", () => {
  test("adds the token, so that the hub knows who calls", async () => {
    await using opened = await open();
    assert.equal(await call(opened.forwarder, { "content-type": "application/json" }), 200);
    assert.equal(opened.hub.runs[0]?.caller.principal.name, "suite");
  });

  test("leaves Host and Origin as they were sent: the hub's own guards judge them", async () => {
    await using opened = await open();
    const json = { "content-type": "application/json" };
    const { forwarder } = opened;
    assert.equal(await call(forwarder, { ...json, origin: forwarder.origin }), 200);
    assert.equal(await call(forwarder, { ...json, origin: "http://evil.example" }), 403);
    assert.equal(await call(forwarder, { ...json, host: "evil.example" }), 403);
    assert.equal(opened.hub.runs.length, 1);
  });

  test("leads nowhere before it is told where", async () => {
    await using forwarder = await Forwarder.open();
    assert.equal(await call(forwarder, {}), 503);
  });
});
