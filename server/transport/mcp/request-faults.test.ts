import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TestDoor } from "../test-door.ts";
import { faultOfRequest } from "./request-faults.ts";

const cases: Readonly<Record<string, { accept: unknown[]; reject: readonly (readonly [unknown, string])[] }>> = {
  "tools/call": {
    accept: [{ name: "system_test_echo" }, { name: "x", arguments: {} }],
    reject: [
      [{}, "params.name"],
      [{ name: "x", arguments: [] }, "params.arguments"],
    ],
  },
  "tools/list": { accept: [undefined, {}, { cursor: "x" }], reject: [[{ cursor: 1 }, "params.cursor"]] },
  "resources/read": {
    accept: [{ uri: "countersign://receipts/x" }],
    reject: [
      [undefined, "params"],
      [{}, "params.uri"],
      [{ uri: ["x"] }, "params.uri"],
    ],
  },
  "prompts/get": {
    accept: [{ name: "x" }, { name: "x", arguments: { a: "b" } }],
    reject: [
      [{}, "params.name"],
      [{ name: "x", arguments: { a: 1 } }, "params.arguments.a"],
    ],
  },
  "completion/complete": {
    accept: [{ ref: { type: "ref/prompt", name: "x" }, argument: { name: "a", value: "b" } }],
    reject: [[{ argument: { name: "a", value: "b" } }, "params.ref"]],
  },
  // for the protocol layer to say
  "no/such": { accept: [1], reject: [] },
  __proto__method: { accept: [{}], reject: [] },
};

describe("the parameters of a request", () => {
  for (const [method, { accept, reject }] of Object.entries(cases))
    test(`of ${method}`, () => {
      for (const params of accept) assert.equal(faultOfRequest(method, params), undefined);
      for (const [params, path] of reject) {
        const fault = faultOfRequest(method, params);
        assert.deepEqual([fault?.code, fault?.path], ["INPUT_INVALID", path]);
      }
    });

  test("that do not fit are the caller's fault by the protocol's number, and recorded", async () => {
    await using door = await TestDoor.open();
    const refused = await door.rpc("resources/read", { name: "x" });
    assert.deepEqual([refused.json.error.code, refused.json.error.data.code], [-32602, "INPUT_INVALID"]);
    assert.deepEqual(
      door.hub.refusals.map(({ code, path }) => [code, path]),
      [["INPUT_INVALID", "params.uri"]],
    );
    assert.ok((await door.rpc("tools/list")).json.result);
  });
});
