import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TestDoor } from "./test-door.ts";

function post(door: TestDoor, name: string, body: string, headers: Record<string, string | undefined> = {}) {
  return door.send(`/v1/actions/${name}`, body, { authorization: `Bearer ${door.token}`, ...headers });
}

describe("POST /v1/actions/{name}", () => {
  test("carries an action out and answers with output, summary and receipt", async () => {
    await using door = await TestDoor.open();
    const answer = await post(door, "system_test_echo", '{"text":"hello"}', {
      "idempotency-key": '"key-1"',
      "countersign-run-id": "run-1",
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/json");
    const { status, output, summary, receipt } = answer.json;
    assert.deepEqual(
      { status, output, summary },
      { status: "done", output: { echoed: "hello" }, summary: "Echoed hello" },
    );
    assert.ok(receipt.id && receipt.callId && receipt.salt);
    const { action, input, channel, canConfirm, idempotencyKey, runId } = door.hub.runs[0] ?? assert.fail();
    assert.deepEqual(
      { action, input, channel, canConfirm, idempotencyKey, runId },
      {
        action: "system_test_echo",
        input: { text: "hello" },
        channel: "http",
        canConfirm: false,
        idempotencyKey: "key-1",
        runId: "run-1",
      },
    );
  });

  test("reaches actions that are for no model, and needs no body for one without input", async () => {
    await using door = await TestDoor.open();
    assert.equal((await post(door, "system_test_claim", "")).json.status, "done");
  });

  test("what waits for people is accepted, not done", async () => {
    await using door = await TestDoor.open();
    for (const name of ["system_test_approve", "system_test_wipe"]) {
      const answer = await post(door, name, "{}");
      assert.equal(answer.status, 202);
      assert.equal(answer.json.status, "pending");
      assert.equal(answer.json.approval.approvalExpiresAt, "2030-01-01T00:00:00.000Z");
    }
  });

  test("refusals are problems with code and path; a fault of the hub keeps its cause to itself", async () => {
    await using door = await TestDoor.open();
    const refused = await post(door, "system_test_refuse", "{}");
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
    const { instance, ...problem } = refused.json;
    assert.deepEqual(problem, {
      type: "urn:countersign:error:FORBIDDEN",
      title: "forbidden",
      status: 403,
      detail: "No policy permits this.",
      code: "FORBIDDEN",
      path: "text",
      details: { policies: [] },
    });
    assert.equal(instance, `urn:uuid:${refused.headers.get("x-request-id")}`);
    const failed = await post(door, "system_test_fail", "{}");
    assert.equal(failed.status, 500);
    assert.equal(failed.json.code, "INTERNAL");
    assert.ok(!failed.text.includes("inside of the hub"));
    const invalid = await post(door, "system_test_echo", '{"text":1}');
    assert.deepEqual([invalid.status, invalid.json.code, invalid.json.path], [400, "INPUT_INVALID", "text"]);
    assert.equal(door.hub.refusals.length, 0, "the gate has recorded these");
  });

  test("unknown actions, unreadable bodies and strangers are refused; what the gate did not see is recorded here", async () => {
    await using door = await TestDoor.open();
    assert.equal((await post(door, "system_test_nothing", "{}")).status, 404);
    assert.equal((await post(door, "%zz", "{}")).status, 400);
    assert.equal((await post(door, "system_test_echo", '{"text":"a","text":"b"}')).json.path, "text");
    assert.equal((await post(door, "system_test_echo", "{}", { "content-type": "text/plain" })).status, 415);
    const stranger = await post(door, "system_test_echo", "{}", { authorization: "Bearer cs_no_such" });
    assert.equal(stranger.status, 401);
    assert.match(stranger.headers.get("www-authenticate") ?? "", /error="invalid_token"/);
    const nobody = await post(door, "system_test_echo", "{}", { authorization: undefined });
    assert.equal(nobody.headers.get("www-authenticate"), 'Bearer realm="countersign"');
    assert.deepEqual(
      door.hub.refusals.map(({ code, facts }) => [code, facts.channel]),
      [
        ["INPUT_INVALID", "http"],
        ["INPUT_INVALID", "http"],
        ["MEDIA_TYPE_UNSUPPORTED", "http"],
      ],
    );
    assert.equal((await post(door, "system_test_echo", '{"text":"a"}')).status, 200);
  });
});
