/** Requests as no client sends them, on the bare wire: each has a twin that is answered. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { TestDoor } from "./test-door.ts";

const ECHO = "/v1/actions/system_test_echo";
const PATHS = ["/healthz", "/readyz", "/mcp", ECHO, "/nothing"];

/** A request with a body of `{}` unless it is a GET. */
function request(
  path: string,
  headers: readonly string[],
  { method = "POST", body = "{}", end = ["Connection: close"] } = {},
) {
  const length = method === "GET" || headers.some((header) => /^(content-length|transfer-encoding)/i.test(header));
  const more = length ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const json = headers.some((header) => /^content-type/i.test(header)) ? [] : ["Content-Type: application/json"];
  return [`${method} ${path} HTTP/1.1`, ...headers, ...json, ...more, ...end, "", method === "GET" ? "" : body].join(
    "\r\n",
  );
}

const HOST = "Host: localhost";
const auth = (door: TestDoor) => `Authorization: Bearer ${door.token}`;

describe("at every address", () => {
  test("a foreign Host or Origin, none and two are refused, before a token is looked at", async () => {
    await using door = await TestDoor.open();
    const origin = `Origin: http://127.0.0.1:${door.http.port}`;
    for (const path of PATHS) {
      const method = path.endsWith("z") ? "GET" : "POST";
      const ask = (headers: string[]) => door.raw(request(path, [...headers, auth(door)], { method }));
      for (const headers of [
        ["Host: evil.example"],
        ["Host: localhost.evil.example"],
        ["Host: "],
        [HOST, "Origin: https://evil.example"],
        [HOST, "Origin: null"],
        [HOST, `Origin: https://127.0.0.1:${door.http.port}`],
      ])
        assert.match(await ask(headers), /^HTTP\/1\.1 403 [^]*ORIGIN_REFUSED/, `${path} ${headers.join()}`);
      assert.match(await ask([]), /^HTTP\/1\.1 400 /, path);
      assert.match(await ask([HOST, "Host: evil.example"]), /^HTTP\/1\.1 400 /, path);
      assert.match(await ask([HOST, origin, origin]), /^HTTP\/1\.1 400 [^]*headers\.origin/, path);
      assert.doesNotMatch(await ask([HOST, origin]), /ORIGIN_REFUSED/, path);
    }
    assert.equal(door.hub.strangers.length, 0);
    assert.equal(door.hub.runs.length, 1);
  });

  test("a token in the query is refused where tokens count, and stands in no answer and no log", async () => {
    await using door = await TestDoor.open();
    for (const path of ["/mcp", ECHO, "/nothing"]) {
      for (const query of ["access_token", "TOKEN", "x"]) {
        const answer = await door.raw(request(`${path}?${query}=${door.token}`, [HOST, auth(door)]));
        assert.match(answer, /^HTTP\/1\.1 400 [^]*INPUT_INVALID/);
        assert.ok(!answer.includes(door.token));
      }
    }
    for (const path of ["/healthz", "/readyz", `/${door.token}`, `${ECHO}/${door.token}`])
      await door.raw(request(`${path}?token=${door.token}`, [HOST], { method: "GET" }));
    await door.raw(request(`/v1/actions/${door.token}`, [HOST, auth(door)]));
    assert.equal(door.hub.lines.join("").includes(door.token.slice(-20)), false);
    assert.match(await door.raw(request(`${ECHO}?x=1`, [HOST, auth(door)])), /^HTTP\/1\.1 200 /);
  });

  test("an address that names its own host is none of ours", async () => {
    await using door = await TestDoor.open();
    for (const target of ["http://evil.example/healthz", `http://localhost${ECHO}`, `//evil.example${ECHO}`, "*"])
      assert.match(await door.raw(request(target, [HOST, auth(door)])), /^HTTP\/1\.1 404 /, target);
    assert.doesNotMatch(await door.raw(request("evil.example:443", [HOST], { method: "CONNECT" })), / 200 /);
    assert.match(await door.raw(request("/healthz", [HOST], { method: "GET" })), /^HTTP\/1\.1 200 /);
  });
});

describe("what two readers would read differently", () => {
  const framing: Readonly<Record<string, { headers: string[]; body?: string }>> = {
    "a length and chunks": { headers: ["Content-Length: 4", "Transfer-Encoding: chunked"], body: "0\r\n\r\n" },
    "chunks and a length": { headers: ["Transfer-Encoding: chunked", "Content-Length: 4"], body: "0\r\n\r\n" },
    "two lengths": { headers: ["Content-Length: 2", "Content-Length: 7"] },
    "two equal lengths": { headers: ["Content-Length: 2", "Content-Length: 2"] },
    "a list of lengths": { headers: ["Content-Length: 2, 2"] },
    "a signed length": { headers: ["Content-Length: +2"] },
    "a length in hexadecimal": { headers: ["Content-Length: 0x2"] },
    "a negative length": { headers: ["Content-Length: -1"] },
    "chunks that are not the last coding": {
      headers: ["Transfer-Encoding: chunked, identity"],
      body: "2\r\n{}\r\n0\r\n\r\n",
    },
    "a coding by another name": { headers: ["Transfer-Encoding: xchunked"], body: "2\r\n{}\r\n0\r\n\r\n" },
    "a space before the colon": { headers: ["Content-Length : 2"] },
    "a header over two lines": { headers: ["X-One: 1\r\n Transfer-Encoding: chunked"] },
    "a bare line feed": { headers: ["X-One: 1\nTransfer-Encoding: chunked"], body: "2\r\n{}\r\n0\r\n\r\n" },
    "a bare carriage return": { headers: ["X-One: 1\rTransfer-Encoding: chunked"] },
    "NUL in a header": { headers: ["X-One: \0"] },
    "a chunk's size that is none": { headers: ["Transfer-Encoding: chunked"], body: "2x\r\n{}\r\n0\r\n\r\n" },
    "a chunk longer than it says": { headers: ["Transfer-Encoding: chunked"], body: "1\r\n{}\r\n0\r\n\r\n" },
  };

  for (const [what, { headers, body }] of Object.entries(framing)) {
    test(`${what}: refused, and nothing behind it is taken for a request`, async () => {
      await using door = await TestDoor.open();
      const hidden = request(ECHO, [HOST, auth(door)]);
      const sent = request(ECHO, [HOST, auth(door), ...headers], { end: [], ...(body !== undefined && { body }) });
      const answer = await door.raw(sent + hidden);
      assert.match(answer, /^HTTP\/1\.1 400 /, answer);
      assert.equal(answer.match(/^HTTP\/1\.1 /gm)?.length, 1, answer);
      assert.equal(door.hub.runs.length, 0);
    });
  }

  test("the same bytes framed right are two requests", async () => {
    await using door = await TestDoor.open();
    const chunked = request(ECHO, [HOST, auth(door), "Transfer-Encoding: chunked"], {
      end: [],
      body: "2\r\n{}\r\n0\r\n\r\n",
    });
    const answers = await door.raw(chunked + request(ECHO, [HOST, auth(door)]));
    assert.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 2);
  });

  test("a header by which somebody decides is sent once", async () => {
    await using door = await TestDoor.open();
    for (const [name, value] of [
      ["Content-Type", "application/json"],
      ["Content-Encoding", "identity"],
      ["Idempotency-Key", "one"],
      ["Countersign-Run-Id", "one"],
      ["Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
      ["Mcp-Method", "tools/call"],
      ["Mcp-Name", "system_test_echo"],
      ["Mcp-Session-Id", "one"],
      ["Mcp-Param-Text", "one"],
      ["MCP-Protocol-Version", "2026-07-28"],
    ]) {
      const lower = String(name).toLowerCase();
      const twice = request(ECHO, [HOST, auth(door), `${name}: ${value}`, `${lower}: ${value}`]);
      assert.match(await door.raw(twice), new RegExp(`^HTTP/1\\.1 400 [^]*headers\\.${lower}`), name);
      assert.match(await door.raw(request(ECHO, [HOST, auth(door), `${name}: ${value}`])), /^HTTP\/1\.1 200 /, name);
    }
    assert.match(await door.raw(request(ECHO, [HOST, auth(door), "X-Any: 1", "X-Any: 2"])), /^HTTP\/1\.1 200 /);
  });

  test("headers that contradict the message they are about are refused by the protocol's number", async () => {
    await using door = await TestDoor.open();
    const mismatched = [
      { "mcp-method": "tools/list" },
      { "mcp-method": undefined },
      { "mcp-name": "system_test_refuse" },
      { "mcp-name": undefined },
      { "mcp-name": "SYSTEM_TEST_ECHO" },
      { "mcp-protocol-version": "2025-11-25" },
    ];
    for (const headers of mismatched) {
      const { status, json } = await door.call("system_test_echo", {}, { headers });
      assert.equal(status, 400, JSON.stringify(headers));
      assert.ok(json.error, JSON.stringify(headers));
    }
    assert.equal(door.hub.runs.length, 0);
    assert.ok(door.hub.refusals.length >= mismatched.length);
    assert.equal((await door.call("system_test_echo")).status, 200);
  });
});

describe("too much", () => {
  test("headers by number are refused, by size not even read", async () => {
    await using door = await TestDoor.open();
    const many = (count: number) => Array.from({ length: count }, (_, n) => `X-${n}: 1`);
    assert.match(
      await door.raw(request(ECHO, [HOST, auth(door), ...many(110)])),
      /^HTTP\/1\.1 413 [^]*INPUT_TOO_LARGE/,
    );
    // beyond 1,000 Node would leave the rest out: the second token must not go unseen
    const behind = [HOST, auth(door), ...many(1_200), auth(door)];
    assert.match(await door.raw(request(ECHO, behind)), /^HTTP\/1\.1 413 /);
    const large = [HOST, auth(door), `X-Large: ${"a".repeat(20_000)}`];
    assert.match(await door.raw(request(ECHO, large)), /^HTTP\/1\.1 431 /);
    const endless = await door.raw(`POST ${ECHO} HTTP/1.1\r\n${many(5_000).join("\r\n")}`, false);
    assert.match(endless, /^HTTP\/1\.1 431 /);
    assert.match(await door.raw(`GET /${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.equal(door.hub.runs.length, 0);
    assert.match(await door.raw(request(ECHO, [HOST, auth(door), ...many(90)])), /^HTTP\/1\.1 200 /);
  });

  test("a chunked body without end is refused when it is over the limit, whatever its chunks are", async () => {
    await using door = await TestDoor.open({ maxBodyBytes: 1000 });
    const head = request(ECHO, [HOST, auth(door), "Transfer-Encoding: chunked"], { body: "", end: [] });
    const small = "1\r\n \r\n".repeat(1100);
    assert.match(await door.raw(head + small, false), /^HTTP\/1\.1 413 [^]*INPUT_TOO_LARGE/);
    const extensions = `1;${"a".repeat(100_000)}\r\n{\r\n1\r\n}\r\n0\r\n\r\n`;
    assert.match(await door.raw(head + extensions, false), /^HTTP\/1\.1 (400|413) /);
    const trailers = `2\r\n{}\r\n0\r\n${"X: y\r\n".repeat(10_000)}\r\n`;
    assert.match(await door.raw(head + trailers, false), /^HTTP\/1\.1 (400|413|431) /);
    assert.equal(door.hub.runs.length, 0);
  });
});

describe("too slow", () => {
  /** Sends `first`, then a byte whenever the door's timers have had time to look; what came back. */
  async function drip(door: TestDoor, first: string, drop: string): Promise<string> {
    const socket: Socket = connect(door.http.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    let answer = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.write(first);
    const dripping = setInterval(() => socket.writable && socket.write(drop), 10);
    await once(socket, "close");
    clearInterval(dripping);
    return answer;
  }

  test("headers that come a byte at a time are cut off at their time, however lively they are", async () => {
    await using door = await TestDoor.open({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    assert.match(await drip(door, `POST ${ECHO} HTTP/1.1\r\n${HOST}\r\nX: `, "a"), /^HTTP\/1\.1 408 /);
    assert.match(await drip(door, `POST ${ECHO} HTTP/1.1\r\n${HOST}\r\n`, "X: y\r\n"), /^HTTP\/1\.1 408 /);
    assert.match(await door.raw(request(ECHO, [HOST, auth(door)])), /^HTTP\/1\.1 200 /);
  });

  test("so are bodies, by length and in chunks, and no call comes of them", async () => {
    await using door = await TestDoor.open({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const length = request(ECHO, [HOST, auth(door), "Content-Length: 100000"], { body: "{", end: [] });
    assert.match(await drip(door, length, " "), /^HTTP\/1\.1 408 /);
    const chunks = request("/mcp", [HOST, auth(door), "Transfer-Encoding: chunked"], { body: "1\r\n{\r\n", end: [] });
    assert.match(await drip(door, chunks, "1\r\n \r\n"), /^HTTP\/1\.1 408 /);
    assert.equal(door.hub.runs.length, 0);
    assert.match(await door.raw(request(ECHO, [HOST, auth(door)])), /^HTTP\/1\.1 200 /);
  });

  test("who sends nothing at all is cut off too", async () => {
    await using door = await TestDoor.open({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    assert.match(await door.raw("", false), /^HTTP\/1\.1 408 /);
  });
});

test("a token ends at the door: no call that it brings has it", async () => {
  await using door = await TestDoor.open();
  await door.raw(request(ECHO, [HOST, auth(door)]));
  await door.call("system_test_echo", { text: "one" });
  const { runs } = door.hub;
  assert.deepEqual(
    runs.map(({ channel }) => channel),
    ["http", "mcp"],
  );
  assert.ok(!JSON.stringify(runs).includes(door.token));
});

describe("a session's id", () => {
  const initialize = (door: TestDoor, headers: Record<string, string> = {}) =>
    door.send(
      "/mcp",
      JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "old", version: "0" } },
      }),
      { authorization: `Bearer ${door.token}`, accept: "application/json, text/event-stream", ...headers },
    );

  test("that a client brings along opens nothing: the hub makes its own, for who opened it", async () => {
    await using door = await TestDoor.open();
    const fixed = await initialize(door, { "mcp-session-id": "chosen-by-somebody-else" });
    assert.equal(fixed.status, 404);
    const opened = await initialize(door);
    const id = opened.headers.get("mcp-session-id") ?? assert.fail();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    const ping = (token: string, session: string) =>
      door.send("/mcp", '{"jsonrpc":"2.0","id":2,"method":"ping"}', {
        authorization: `Bearer ${token}`,
        accept: "application/json, text/event-stream",
        "mcp-session-id": session,
      });
    const foreign = await ping(door.hub.admit("bob"), id);
    const unknown = await ping(door.token, "00000000-0000-4000-8000-000000000000");
    assert.deepEqual([foreign.status, foreign.text], [unknown.status, unknown.text]);
    assert.equal(foreign.status, 404);
    assert.equal((await ping(door.token, id)).status, 200);
  });
});
