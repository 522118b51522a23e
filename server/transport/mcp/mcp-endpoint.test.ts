import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "../../errors.ts";
import { TestDoor } from "../test-door.ts";

const META = "io.modelcontextprotocol/";

describe("revision 2026-07-28 on the wire", () => {
  test("discover, list and call are answered; lists are private, briefly kept and in a stable order", async () => {
    await using door = await TestDoor.open();
    const discovered = await door.rpc("server/discover");
    assert.deepEqual(discovered.json.result.supportedVersions, ["2026-07-28"]);
    assert.equal(discovered.json.result.resultType, "complete");
    const { result } = (await door.rpc("tools/list")).json;
    assert.equal(result.cacheScope, "private");
    assert.ok(result.ttlMs > 0);
    const names = result.tools.map((tool: { name: string }) => tool.name);
    assert.deepEqual(names, names.toSorted());
    assert.ok(!names.includes("system_test_claim"), "an action of another door is not shown");
    const [echo, wipe] = ["system_test_echo", "system_test_wipe"].map((n) => result.tools[names.indexOf(n)]);
    assert.deepEqual(echo.annotations, {
      title: "Test echo",
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    });
    assert.equal(wipe.annotations.destructiveHint, true);
    assert.equal(wipe._meta["countersign/approval"], "confirm");
    assert.equal(echo.outputSchema.type, "object");
  });

  test("a call has structured output, a text, and its receipt", async () => {
    await using door = await TestDoor.open();
    const answer = await door.call("system_test_echo", { text: "hello" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const { result, id } = answer.json;
    assert.equal(id, 7);
    assert.deepEqual(result.structuredContent, { echoed: "hello" });
    assert.equal(result.content[0].text, "Echoed hello");
    assert.deepEqual(Object.keys(result._meta["countersign/receipt"]), ["id", "callId", "salt"]);
    const { caller: _, signal: __, traceId: ___, ...request } = door.hub.runs[0] ?? assert.fail();
    assert.deepEqual(request, {
      action: "system_test_echo",
      input: { text: "hello" },
      channel: "mcp",
      canConfirm: false,
    });
  });

  test("idempotency key, run and trace come from the message", async () => {
    await using door = await TestDoor.open();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const meta = {
      "countersign/idempotencyKey": "key-1",
      "countersign/runId": "run-1",
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    };
    await door.call("system_test_echo", {}, { meta });
    const [run] = door.hub.runs;
    assert.deepEqual([run?.idempotencyKey, run?.runId, run?.traceId], ["key-1", "run-1", traceId]);
    const refused = await door.call("system_test_echo", {}, { meta: { "countersign/idempotencyKey": 7 } });
    assert.equal(refused.json.result._meta["countersign/error"].code, "INPUT_INVALID");
    assert.equal(door.hub.runs.length, 1);
  });

  test("a refusal is an error result with code, path and details; a fault of the hub keeps its cause to itself", async () => {
    await using door = await TestDoor.open();
    const { result } = (await door.call("system_test_refuse", { text: "x" })).json;
    assert.equal(result.isError, true);
    assert.equal(result.structuredContent, undefined);
    assert.deepEqual(result._meta["countersign/error"], {
      code: "FORBIDDEN",
      message: "No policy permits this.",
      path: "text",
      details: { policies: [] },
    });
    assert.match(result.content[0].text, /^FORBIDDEN: No policy permits this\. \(at text\)/);
    const failed = await door.call("system_test_fail");
    assert.equal(failed.json.result._meta["countersign/error"].code, "INTERNAL");
    assert.ok(!failed.text.includes("inside of the hub"));
    assert.ok(door.hub.lines.some((line) => line.includes("inside of the hub")));
  });

  test("a call that waits for people is no success, and says what comes next", async () => {
    await using door = await TestDoor.open();
    const { result } = (await door.call("system_test_approve")).json;
    assert.equal(result.isError, true);
    assert.equal(result._meta["countersign/error"].code, "APPROVAL_PENDING");
    const { requestId } = result._meta["countersign/approval"];
    assert.ok(result._meta["countersign/receipt"].callId);
    for (const told of ["APPROVAL_PENDING", `npx countersign approve ${requestId}`, "system_approval_get_request"])
      assert.ok(result.content[0].text.includes(told), told);
  });

  test("what the protocol forbids is refused by its number and recorded; the same message made right is answered", async () => {
    await using door = await TestDoor.open();
    const right = { name: "system_test_echo", arguments: {} };
    assert.equal((await door.rpc("tools/call", right)).status, 200);
    const without = (key: string) => ({ meta: { [META + key]: undefined } });
    const cases: [string, Promise<{ status: number; json: { error: { code: number } } }>, number, number][] = [
      ["no Mcp-Method", door.rpc("tools/call", right, { headers: { "mcp-method": undefined } }), 400, -32020],
      ["another Mcp-Method", door.rpc("tools/call", right, { headers: { "mcp-method": "tools/list" } }), 400, -32020],
      ["no Mcp-Name", door.rpc("tools/call", right, { headers: { "mcp-name": undefined } }), 400, -32020],
      ["another Mcp-Name", door.rpc("tools/call", right, { headers: { "mcp-name": "system_test_wipe" } }), 400, -32020],
      [
        "no version header",
        door.rpc("tools/list", {}, { headers: { "mcp-protocol-version": undefined } }),
        400,
        -32020,
      ],
      [
        "another version",
        door.rpc("tools/list", {}, { headers: { "mcp-protocol-version": "2025-11-25" } }),
        400,
        -32020,
      ],
      ["no version in the message", door.rpc("tools/list", {}, without("protocolVersion")), 400, -32602],
      ["no capabilities", door.rpc("tools/list", {}, without("clientCapabilities")), 400, -32602],
      [
        "unknown version",
        door.rpc(
          "tools/list",
          {},
          { headers: { "mcp-protocol-version": "2099-01-01" }, meta: { [`${META}protocolVersion`]: "2099-01-01" } },
        ),
        400,
        -32022,
      ],
      ["unknown method", door.rpc("no/such"), 404, -32601],
      ["of older revisions", door.rpc("resources/subscribe", { uri: "countersign://reference" }), 404, -32601],
    ];
    for (const [name, sent, status, number] of cases) {
      const answer = await sent;
      assert.equal(answer.json.error.code, number, name);
      assert.equal(answer.status, status, name);
    }
    assert.equal(door.hub.refusals.length, cases.length);
    assert.ok(door.hub.refusals.every(({ facts }) => facts.caller?.principal.name === "alice"));
    assert.equal(door.hub.runs.length, 1);
  });

  test("an unknown tool and one of another door are told the same; a call that is none is refused", async () => {
    await using door = await TestDoor.open();
    for (const name of ["system_test_nothing", "system_test_claim"]) {
      const { error } = (await door.call(name)).json;
      assert.equal(error.code, -32602);
      assert.equal(error.data.code, "ACTION_UNKNOWN");
    }
    assert.equal(door.hub.refusals.length, 0, "the gate has recorded these");
    for (const [params, path] of [
      [{ name: "system_test_echo", arguments: "text" }, "params.arguments"],
      [{ name: "system_test_echo", arguments: [1] }, "params.arguments"],
      [{ arguments: {} }, "params.name"],
    ] as const) {
      const { error } = (await door.rpc("tools/call", params)).json;
      assert.equal(error.code, -32602);
      assert.deepEqual(error.data, { code: "INPUT_INVALID", path });
    }
    assert.equal(door.hub.refusals.length, 3);
  });

  test("JSON that two readers could understand differently is refused with the place, before anything reads it", async () => {
    await using door = await TestDoor.open();
    const message = (args: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"system_test_echo","arguments":${args},` +
      `"_meta":{"${META}protocolVersion":"2026-07-28","${META}clientCapabilities":{}}}}`;
    const send = (args: string) => door.call("system_test_echo", {}, { body: message(args) });
    const cases: [string, string][] = [
      [`{"text":"a","text":"b"}`, "params.arguments.text"],
      [`{"__proto__":{"text":"a"}}`, "params.arguments.__proto__"],
      [`{"text":"\\ud800"}`, "params.arguments.text"],
      [`{"text":"a\\u0000b"}`, "params.arguments.text"],
      [`{"text":${"[".repeat(5000)}${"]".repeat(5000)}}`, "params.arguments.text"],
      [`{"text":1e999}`, "params.arguments.text"],
      [`{"text":"a"`, "params"],
    ];
    for (const [args, path] of cases) {
      const answer = await send(args);
      assert.equal(answer.status, 400, args.slice(0, 40));
      assert.equal(answer.json.error.code, -32700);
      assert.equal(answer.json.error.data.code, "INPUT_INVALID");
      assert.ok(answer.json.error.data.path.startsWith(path), answer.json.error.data.path);
    }
    assert.equal(door.hub.refusals.length, cases.length);
    assert.equal(door.hub.runs.length, 0);
    assert.equal((await send(`{"text":"a","b":${"[".repeat(100)}${"]".repeat(100)}}`)).json.result.isError, true);
    assert.equal((await send(`{"text":"\\ud83d\\ude00"}`)).json.result.structuredContent.echoed, "😀");
  });

  test("other media types, encodings, characters and empty bodies are refused", async () => {
    await using door = await TestDoor.open();
    for (const headers of [{ "content-type": "text/plain" }, { "content-encoding": "gzip" }]) {
      const answer = await door.rpc("tools/list", {}, { headers });
      assert.equal(answer.status, 415);
      assert.equal(answer.json.error.data.code, "MEDIA_TYPE_UNSUPPORTED");
    }
    assert.equal(
      (await door.rpc("tools/list", {}, { headers: { "content-type": "application/json; charset=utf-8" } })).status,
      200,
    );
    assert.equal((await door.rpc("tools/list", {}, { body: "" })).status, 400);
    assert.equal((await door.rpc("tools/list", {}, { body: "null" })).status, 400);
    const bytes = await fetch(door.mcpUrl, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${door.token}` },
      body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    });
    assert.equal(bytes.status, 400);
    assert.equal(door.hub.refusals.length, 5);
  });
});

test("a list that fails says so, and keeps its cause to itself", async () => {
  await using door = await TestDoor.open();
  door.hub.visible = () => Promise.reject(new TypeError("the inside of the hub"));
  const failed = await door.rpc("tools/list");
  assert.equal(failed.json.error.data.code, "INTERNAL");
  assert.ok(!failed.text.includes("inside of the hub"));
  door.hub.visible = () => Promise.reject(new HubError("STORE_UNAVAILABLE", "The database does not answer."));
  assert.equal((await door.rpc("tools/list")).json.error.data.code, "STORE_UNAVAILABLE");
});

describe("tokens", () => {
  test("without a token, or with one that does not count, nothing is read; the answer says how to do better", async () => {
    await using door = await TestDoor.open();
    const none = await door.rpc("tools/list", {}, { headers: { authorization: undefined } });
    assert.equal(none.status, 401);
    assert.equal(none.headers.get("www-authenticate"), 'Bearer realm="countersign"');
    for (const authorization of [
      "Bearer cs_no_such",
      "Bearer",
      "Basic YTpi",
      `Bearer ${door.token} ${door.token}`,
      door.token,
    ]) {
      const answer = await door.rpc("tools/list", {}, { headers: { authorization } });
      assert.equal(answer.status, 401, authorization);
      assert.match(
        answer.headers.get("www-authenticate") ?? "",
        /^Bearer realm="countersign", error="invalid_token", error_description="[^"]+"$/,
      );
      assert.equal(answer.json.error.data.code, "UNAUTHENTICATED");
    }
    for (const authorization of [`Bearer ${door.token}`, `bearer ${door.token}`, `BEARER   ${door.token}`])
      assert.equal((await door.rpc("tools/list", {}, { headers: { authorization } })).status, 200, authorization);
    door.hub.banned.add("principal-alice");
    const banned = await door.rpc("tools/list");
    assert.equal(banned.status, 403);
    assert.equal(banned.json.error.data.code, "PRINCIPAL_BANNED");
  });

  test("a stranger's body is not read at length", async () => {
    await using door = await TestDoor.open();
    const answer = await door.rpc("tools/list", {}, { token: "cs_no_such", body: "a".repeat(1 << 20) });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("connection"), "close");
  });
});

test("GET and DELETE exist for sessions alone", async () => {
  await using door = await TestDoor.open();
  for (const method of ["GET", "DELETE", "PUT"]) {
    const answer = await door.send(
      "/mcp",
      "",
      { authorization: `Bearer ${door.token}`, accept: "text/event-stream" },
      method,
    );
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "POST");
  }
});
