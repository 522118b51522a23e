import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judge } from "./judge.ts";
import { Random } from "./random.ts";
import { type Kind, makeRequest } from "./requests.ts";

const target = { tokens: ["cs_one", "cs_two"], tools: ["system_identity_whoami", "system_fleet_put_object"] };
const answer = (status: number, body: string) =>
  `HTTP/1.1 ${status} Any\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const reply = (text: string, more = {}) => ({ text, hung: false, reset: false, ...more });

describe("what is sent", () => {
  const made = (seed: number, places: number) =>
    Array.from({ length: places }, (_, place) => makeRequest(new Random(seed, place), target));

  test("is the same for the same seed and place, and another for others", () => {
    assert.deepEqual(made(7, 50), made(7, 50));
    const all = [...made(7, 50), ...made(8, 50)].map(({ bytes }) => bytes.toString("hex"));
    assert.equal(new Set(all).size, 100);
  });

  test("is of every kind; a call has nothing wrong about its framing", () => {
    const requests = made(7, 500);
    const kinds = new Set(requests.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), ["body", "call", "framing", "headers", "message"] satisfies Kind[]);
    for (const { kind, bytes, traceId } of requests) {
      if (kind !== "call") continue;
      const [head = "", ...body] = bytes.toString().split("\r\n\r\n");
      assert.match(head, new RegExp(`^POST [^ ]+ HTTP/1\\.1\r\n[^]*Traceparent: 00-${traceId}-`));
      assert.equal(Number(/Content-Length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body.join("\r\n\r\n")));
      JSON.parse(body.join("\r\n\r\n"));
    }
  });
});

describe("the verdict on an answer", () => {
  const faults: Readonly<Record<string, readonly [Kind, ReturnType<typeof reply>]>> = {
    "that never ended": ["framing", reply("", { hung: true })],
    "that is none": ["message", reply("")],
    "with a stack": ["body", reply(answer(400, JSON.stringify({ detail: "x\n    at run (file:///srv/a.ts:1:2)" })))],
    "with a plain stack": ["body", reply(answer(400, "TypeError: x\n    at run"))],
    "with a place in the program": ["body", reply(answer(400, "server/main.ts:12:7"))],
    "that names a fault of the hub": ["call", reply(answer(200, '{"code":"INTERNAL"}'))],
    "by the protocol's number for it": ["message", reply(answer(200, '{"error":{"code":-32603}}'))],
    "that is a fault by its status": ["headers", reply(answer(500, ""))],
  };
  for (const [what, [kind, told]] of Object.entries(faults))
    test(`${what}: a fault`, () => assert.ok(judge(kind, told).fault));

  test("that refuses, or carries out: none, with its code and its receipts", () => {
    const callId = "01a2150f-7043-77c1-af88-61662a42f826";
    const body = JSON.stringify({
      code: "INPUT_INVALID",
      detail: "look at 12:30:45, at the file",
      receipt: { callId },
    });
    assert.deepEqual(judge("call", reply(answer(400, body))), { outcome: "400 INPUT_INVALID", callIds: [callId] });
    assert.deepEqual(judge("message", reply(answer(202, ""))), { outcome: "202", callIds: [] });
    assert.deepEqual(judge("framing", reply("", { reset: true })), { outcome: "reset", callIds: [] });
  });
});
