import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { TestDoor } from "./test-door.ts";

const AUTH = (door: TestDoor) => ({ authorization: `Bearer ${door.token}` });

describe("who may knock", () => {
  test("a request for another Host or from another Origin is refused and recorded; its own is answered", async () => {
    await using door = await TestDoor.open({
      allowedHosts: ["hub.example"],
      allowedOrigins: ["https://console.example"],
    });
    const get = (headers: string) => door.raw(`GET /healthz HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);
    const own = `Host: 127.0.0.1:${door.http.port}`;
    for (const accepted of [
      own,
      `Host: localhost:${door.http.port}`,
      "Host: [::1]:1",
      "Host: HUB.example",
      `${own}\r\nOrigin: http://127.0.0.1:${door.http.port}`,
      `${own}\r\nOrigin: https://console.example`,
    ])
      assert.match(await get(accepted), /^HTTP\/1\.1 200 /, accepted);
    assert.equal(door.hub.refusals.length, 0);
    const refused = [
      "Host: evil.example",
      "Host: 127.0.0.1.evil.example",
      "Host: localhost@evil.example",
      `${own}\r\nOrigin: http://evil.example`,
      `${own}\r\nOrigin: https://console.example.evil.example`,
      `${own}\r\nOrigin: http://console.example`,
      // another page of this machine is another origin
      `${own}\r\nOrigin: http://localhost:1`,
      `${own}\r\nOrigin: null`,
    ];
    for (const headers of refused) assert.match(await get(headers), /^HTTP\/1\.1 403 [^]*ORIGIN_REFUSED/, headers);
    assert.deepEqual(new Set(door.hub.refusals.map((r) => r.code)), new Set(["ORIGIN_REFUSED"]));
    assert.equal(door.hub.refusals.length, refused.length);
  });

  test("a header that says who or where is sent once", async () => {
    await using door = await TestDoor.open();
    const post = (path: string, headers: string[]) =>
      door.raw(
        [
          `POST ${path} HTTP/1.1`,
          ...headers,
          "Content-Type: application/json",
          "Content-Length: 2",
          "Connection: close",
          "",
          "{}",
        ].join("\r\n"),
      );
    const [host, token] = ["Host: localhost", `Authorization: Bearer ${door.token}`];
    const twice = [
      [host, host, token],
      [host, "Host: evil.example", token],
      [host, token, token],
      [host, token, "authorization: Bearer other"],
    ];
    for (const headers of twice) {
      assert.match(await post("/v1/actions/system_test_echo", headers), /^HTTP\/1\.1 400 [^]*INPUT_INVALID/);
      assert.match(await post("/mcp", headers), /^HTTP\/1\.1 400 [^]*INPUT_INVALID/);
    }
    assert.deepEqual(
      new Set(door.hub.refusals.map(({ path }) => path)),
      new Set(["headers.host", "headers.authorization"]),
    );
    assert.equal(door.hub.refusals.length, 8);
    assert.equal(door.hub.runs.length, 0);
    assert.match(await post("/v1/actions/system_test_echo", [host, token]), /^HTTP\/1\.1 200 /);
  });

  test("a page of an allowed origin may ask and read; one of another gets no leave", async () => {
    await using door = await TestDoor.open({ allowedOrigins: ["https://console.example"] });
    const ask = (origin: string, method: string, headers: Record<string, string>) =>
      door.raw(
        [
          `${method} /mcp HTTP/1.1`,
          "Host: localhost",
          `Origin: ${origin}`,
          ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`),
          "Connection: close",
          "",
          "",
        ].join("\r\n"),
      );
    const preflight = {
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,mcp-method",
    };
    const leave = await ask("https://console.example", "OPTIONS", preflight);
    assert.match(leave, /^HTTP\/1\.1 204 /);
    assert.match(leave, /access-control-allow-origin: https:\/\/console\.example\r\n/);
    assert.match(leave, /access-control-allow-headers: .*authorization.*mcp-method/);
    assert.doesNotMatch(leave, /allow-credentials/);
    const refused = await ask("https://evil.example", "OPTIONS", preflight);
    assert.match(refused, /^HTTP\/1\.1 403 /);
    assert.doesNotMatch(refused, /access-control/);
    assert.match(
      await ask("https://console.example", "GET", {}),
      /^HTTP\/1\.1 401 [^]*access-control-allow-origin: https:\/\/console/,
    );
    assert.match(await ask("https://console.example", "OPTIONS", {}), /^HTTP\/1\.1 401 /);
  });

  test("a token in the address is refused on every path that takes one", async () => {
    await using door = await TestDoor.open();
    for (const path of ["/mcp", "/v1/actions/system_test_echo"]) {
      for (const query of [`?access_token=${door.token}`, "?token=x", `?x=${door.token}`]) {
        const answer = await door.send(path + query, "{}", AUTH(door));
        assert.equal(answer.status, 400);
        assert.ok(!answer.text.includes(door.token));
      }
    }
    assert.equal(door.hub.refusals.length, 6);
    assert.ok(!door.hub.lines.join("").includes(door.token));
    assert.equal((await door.send("/v1/actions/system_test_echo?page=1", "{}", AUTH(door))).status, 200);
  });

  test("an unknown address is 404, a known one by another method 405", async () => {
    await using door = await TestDoor.open();
    assert.equal((await door.send("/nothing", "{}", AUTH(door))).status, 404);
    const wrong = await door.send("/v1/actions/system_test_echo", "", AUTH(door), "GET");
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get("allow"), "POST");
    assert.equal((await door.send("/healthz", "{}")).status, 405);
  });
});

describe("limits", () => {
  test("a body too large is refused before it was read, declared or not, and the connection ends", async () => {
    await using door = await TestDoor.open({ maxBodyBytes: 1000 });
    const large = await door.send(
      "/v1/actions/system_test_echo",
      JSON.stringify({ text: "a".repeat(10 << 20) }),
      AUTH(door),
    );
    assert.equal(large.status, 413);
    assert.equal(large.json.code, "INPUT_TOO_LARGE");
    assert.equal(large.headers.get("connection"), "close");
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${door.token}\r\nContent-Type: application/json\r\n`;
    const endless = await door.raw(`${head}Transfer-Encoding: chunked\r\n\r\n800\r\n${"a".repeat(2048)}\r\n`, false);
    assert.match(endless, /^HTTP\/1\.1 413 [^]*INPUT_TOO_LARGE/);
    assert.deepEqual(
      door.hub.refusals.map((r) => r.code),
      ["INPUT_TOO_LARGE", "INPUT_TOO_LARGE"],
    );
    assert.equal(door.hub.runs.length, 0);
    assert.equal(
      (await door.send("/v1/actions/system_test_echo", JSON.stringify({ text: "a".repeat(900) }), AUTH(door))).status,
      200,
    );
  });

  test("who still sends a body that is too large is answered and not reset: a reset would take the answer with it", async () => {
    await using door = await TestDoor.open({ maxBodyBytes: 1000 });
    const socket = connect({ port: door.http.port, host: "127.0.0.1", allowHalfOpen: true });
    const faults: Error[] = [];
    socket.on("error", (error) => faults.push(error));
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${door.token}\r\nContent-Type: application/json\r\n`;
    const megabyte = "a".repeat(1 << 20);
    socket.write(`${head}Content-Length: ${10 << 20}\r\n\r\n${megabyte}`);
    assert.match(await text(socket), /^HTTP\/1\.1 413 [^]*INPUT_TOO_LARGE/);
    // the hub has ended its side; a server that is gone would answer these with a reset
    for (let i = 0; i < 9; i++) await new Promise((sent) => socket.write(megabyte, sent));
    assert.deepEqual(faults, []);
    socket.destroy();
  });

  test("headers too large are refused", async () => {
    await using door = await TestDoor.open({ maxHeaderBytes: 4096 });
    const get = (size: number) =>
      door.raw(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"a".repeat(size)}\r\nConnection: close\r\n\r\n`);
    assert.match(await get(5000), /^HTTP\/1\.1 431 /);
    assert.match(await get(3000), /^HTTP\/1\.1 200 /);
  });

  test("a client that sends too slowly is cut off, in its headers and in its body", async () => {
    await using door = await TestDoor.open({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
    assert.match(await door.raw("GET /healthz HTTP/1.1\r\nHost: local", false), /^HTTP\/1\.1 408 /);
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${door.token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`;
    assert.match(await door.raw(head, false), /^HTTP\/1\.1 408 /);
    assert.equal(door.hub.runs.length, 0);
  });

  test("more calls at a time than allowed are refused with when to come back, and health still answers", async () => {
    await using door = await TestDoor.open({ maxInFlight: 1 });
    const started = door.hub.nextRun();
    const first = door.send("/v1/actions/system_test_wait", "{}", AUTH(door));
    await started;
    const second = await door.send("/v1/actions/system_test_echo", "{}", AUTH(door));
    assert.equal(second.status, 503);
    assert.equal(second.json.code, "OVERLOADED");
    assert.equal(second.headers.get("retry-after"), "1");
    assert.equal((await door.rpc("tools/list")).json.error.data.code, "OVERLOADED");
    assert.equal((await door.send("/healthz", "", {}, "GET")).status, 200);
    door.hub.gate.resolve();
    assert.equal((await first).status, 200);
    assert.equal((await door.send("/v1/actions/system_test_echo", "{}", AUTH(door))).status, 200);
  });

  test("bodies that do not come take no place of calls, and of one principal's no more than half", async () => {
    await using door = await TestDoor.open({ maxInFlight: 4, requestTimeoutMs: 20_000 });
    const head = `POST /v1/actions/system_test_echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${door.token}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{`;
    const identified = door.hub.identified(2);
    const slow = [1, 2].map(() => connect(door.http.port, "127.0.0.1").on("error", () => {}));
    for (const socket of slow) socket.write(head);
    await identified;
    const refused = await door.send("/v1/actions/system_test_echo", "{}", AUTH(door));
    assert.deepEqual([refused.status, refused.json.code], [503, "OVERLOADED"]);
    const other = { authorization: `Bearer ${door.hub.admit("bob")}` };
    for (let n = 0; n < 5; n++)
      assert.equal((await door.send("/v1/actions/system_test_echo", "{}", other)).status, 200);
    const closed = Promise.all(slow.map((socket) => once(socket, "close")));
    for (const socket of slow) socket.destroy();
    await closed;
  });

  test("one principal's calls leave half of the places to the others", async () => {
    await using door = await TestDoor.open({ maxInFlight: 4 });
    const calls = [];
    for (let n = 0; n < 2; n++) {
      const started = door.hub.nextRun();
      calls.push(door.send("/v1/actions/system_test_wait", "{}", AUTH(door)));
      await started;
    }
    const refused = await door.send("/v1/actions/system_test_echo", "{}", AUTH(door));
    assert.deepEqual([refused.status, refused.json.code], [503, "OVERLOADED"]);
    const bob = { token: door.hub.admit("bob") };
    assert.equal((await door.call("system_test_echo", {}, bob)).status, 200);
    door.hub.gate.resolve();
    assert.deepEqual(
      (await Promise.all(calls)).map(({ status }) => status),
      [200, 200],
    );
  });

  test("strangers are refused as often as they ask, and recorded no more often than the journal bears", async () => {
    await using door = await TestDoor.open();
    const knock = (path: string) => door.send(path, "{}", { authorization: "Bearer cs_nobody" });
    const answers = [];
    for (let n = 0; n < 200; n++) answers.push(await knock(n % 2 === 0 ? "/mcp" : "/v1/actions/system_test_echo"));
    const [first, last] = [answers[0], answers.findLast(({ status }) => status === 429)];
    assert.equal(first?.status, 401);
    assert.equal(last?.headers.get("retry-after"), "1");
    assert.ok(last.text.includes("RATE_LIMITED"));
    const recorded = answers.filter(({ status }) => status === 401).length;
    assert.ok(recorded >= 50 && recorded < 200);
    assert.equal(door.hub.strangers.length, recorded);
    assert.match(door.hub.lines.join(""), /"refused":\d+,"msg":"refusals were not recorded/);
    // who is known is served, and heard when refused, from the same address
    assert.equal((await door.send("/v1/actions/system_test_echo", "{}", AUTH(door))).status, 200);
    assert.equal((await door.send("/v1/actions/system_test_echo", "{", AUTH(door))).status, 400);
    assert.equal(door.hub.refusals.length, 1);
  });

  test("garbage after a request does not become its answer, and garbage alone is told so", async () => {
    await using door = await TestDoor.open();
    assert.match(await door.raw("\x16\x03\x01garbage\r\n\r\n"), /^HTTP\/1\.1 400 /);
    const started = door.hub.nextRun();
    const body = "{}";
    const request = `POST /v1/actions/system_test_wait HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${door.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answered = door.raw(`${request}NOT HTTP\r\n\r\n`, false);
    await started;
    assert.equal(await answered, "");
    // pipelined requests that are whole get their answers, in order
    const get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert.equal(
      (await door.raw(get + get.replace("Host", "Connection: close\r\nHost"))).match(/HTTP\/1\.1 200 /g)?.length,
      2,
    );
  });
});

describe("health", () => {
  test("alive is not able: /readyz names what fails", async () => {
    await using door = await TestDoor.open();
    assert.equal((await door.send("/readyz", "", {}, "GET")).status, 200);
    door.hub.readiness = { ok: false, checks: { database: { ok: true }, journal: { ok: false } } };
    const answer = await door.send("/readyz", "", {}, "GET");
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.json.checks, { database: { ok: true }, journal: { ok: false } });
    assert.equal((await door.send("/healthz", "", {}, "GET")).status, 200);
    door.hub.ready = () => Promise.reject(new Error("no database"));
    assert.equal((await door.send("/readyz", "", {}, "GET")).status, 503);
  });
});

describe("closing", () => {
  test("running calls finish, new ones are refused, then nothing listens", async () => {
    const door = await TestDoor.open();
    const started = door.hub.nextRun();
    const running = door.call("system_test_wait", { text: "kept" });
    await started;
    const drained = door.http.drain();
    const refused = await door.call("system_test_echo", {});
    assert.equal(refused.status, 503);
    assert.equal(refused.json.error.data.code, "DRAINING");
    assert.equal(refused.headers.get("connection"), "close");
    assert.equal((await door.send("/readyz", "", {}, "GET")).status, 503);
    assert.equal((await door.send("/healthz", "", {}, "GET")).status, 200);
    door.hub.gate.resolve();
    assert.equal((await running).json.result.structuredContent.echoed, "kept");
    await drained;
    const socket = connect(door.http.port, "127.0.0.1");
    const [error] = await once(socket, "error");
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
  });

  test("a call that does not finish in time is aborted", async () => {
    const door = await TestDoor.open({ drainMs: 20 });
    const started = door.hub.nextRun();
    const running = door.call("system_test_wait");
    await started;
    const lost = assert.rejects(running);
    await door.http.drain();
    await lost;
    assert.equal(door.hub.runs[0]?.signal.aborted, true);
  });

  test("a client that goes away aborts its call, at both doors", async () => {
    await using door = await TestDoor.open();
    for (const path of ["/mcp", "/v1/actions/system_test_wait"]) {
      const started = door.hub.nextRun();
      const gone = new AbortController();
      const params = {
        name: "system_test_wait",
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      };
      const call = fetch(door.http.url + path, {
        method: "POST",
        signal: gone.signal,
        headers: {
          ...AUTH(door),
          "content-type": "application/json",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "tools/call",
          "mcp-name": "system_test_wait",
        },
        body: path === "/mcp" ? JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }) : "{}",
      });
      await started;
      const { signal } = door.hub.runs.at(-1) ?? assert.fail();
      const aborted = once(signal, "abort");
      gone.abort();
      await assert.rejects(call);
      await aborted;
    }
  });
});

test("every answer names its request, the log too, and a trace is carried on", async () => {
  await using door = await TestDoor.open();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const answer = await door.call("system_test_echo", {}, { headers: { traceparent } });
  const id = answer.headers.get("x-request-id");
  assert.match(id ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(door.hub.runs[0]?.traceId, traceId);
  const line = door.hub.lines.map((l) => JSON.parse(l)).find((l) => l.requestId === id);
  assert.equal(line.traceId, traceId);
  assert.equal(line.subject, "tools/call system_test_echo");
  assert.equal(line.principal, "principal-alice");
  await door.call("system_test_echo", {}, { headers: { traceparent: "00-0-0-0" } });
  assert.match(door.hub.runs[1]?.traceId ?? "", /^[0-9a-f]{32}$/);
  assert.notEqual(door.hub.runs[1]?.traceId, traceId);
});
