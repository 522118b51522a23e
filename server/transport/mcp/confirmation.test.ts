import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type RpcChange, TestDoor } from "../test-door.ts";

const CAN_ASK = { elicitation: { form: {} } };
const YES = { confirm: { action: "accept", content: { confirm: true } } };

/** Asks to wipe `volume`; with `round` the client's second request. */
function wipe(door: TestDoor, volume: string, round: Record<string, unknown> = {}, change: RpcChange = {}) {
  return door.call("system_test_wipe", { text: volume }, { capabilities: CAN_ASK, params: round, ...change });
}

async function asked(door: TestDoor, volume = "v1"): Promise<string> {
  const { result } = (await wipe(door, volume)).json;
  assert.equal(result.resultType, "input_required");
  return result.requestState;
}

describe("a confirmation, revision 2026-07-28", () => {
  test("is asked for by a form, and one clear yes carries the call out once", async () => {
    await using door = await TestDoor.open();
    const { result } = (await wipe(door, "v1")).json;
    const { method, params } = result.inputRequests.confirm;
    assert.equal(method, "elicitation/create");
    assert.equal(params.message, "Wipe v1?");
    assert.deepEqual(Object.keys(params.requestedSchema.properties), ["confirm"]);
    const round = { requestState: result.requestState, inputResponses: YES };
    assert.equal((await wipe(door, "v1", round)).json.result.structuredContent.echoed, "v1");
    const replayed = await wipe(door, "v1", round);
    assert.equal(replayed.json.result._meta["countersign/error"].code, "CONFIRMATION_INVALID");
    assert.equal(door.hub.spent.size, 1);
  });

  test("anything but a clear yes is a no", async () => {
    await using door = await TestDoor.open();
    for (const confirm of [
      { action: "decline" },
      { action: "cancel" },
      { action: "accept" },
      { action: "accept", content: { confirm: false } },
      { action: "accept", content: { confirm: "true" } },
    ]) {
      const { result } = (await wipe(door, "v1", { requestState: await asked(door), inputResponses: { confirm } }))
        .json;
      assert.equal(result._meta["countersign/error"].code, "CONFIRMATION_DECLINED", JSON.stringify(confirm));
    }
    assert.equal(door.hub.spent.size, 0);
  });

  test("a yes to nothing, and a state without an answer, are asked anew", async () => {
    await using door = await TestDoor.open();
    const state = await asked(door);
    for (const round of [
      { inputResponses: YES },
      { requestState: state },
      { requestState: state, inputResponses: {} },
      { requestState: state, inputResponses: { other: YES.confirm } },
      { requestState: state, inputResponses: { confirm: { roots: [] } } },
    ])
      assert.equal((await wipe(door, "v1", round)).json.result.resultType, "input_required", JSON.stringify(round));
    assert.equal(door.hub.spent.size, 0);
  });

  test("a state that was changed, made by another hub or given to another caller is refused and recorded", async () => {
    await using door = await TestDoor.open();
    await using other = await TestDoor.open();
    const state = await asked(door);
    const [, payload = "", mac = ""] = state.split(".");
    const forged = JSON.parse(Buffer.from(payload, "base64url").toString());
    forged.p.action = "system_test_claim";
    const states = {
      "a changed signature": `${state.slice(0, -4)}AAAA`,
      "a changed payload": `v1.${Buffer.from(JSON.stringify(forged)).toString("base64url")}.${mac}`,
      "cut short": state.slice(0, 20),
      "no state at all": "yes",
      "another hub's": await asked(other),
    };
    for (const [name, requestState] of Object.entries(states)) {
      const { error } = (await wipe(door, "v1", { requestState, inputResponses: YES })).json;
      assert.equal(error.code, -32602, name);
    }
    const mallory = { token: door.hub.admit("mallory") };
    const stolen = await wipe(door, "v1", { requestState: state, inputResponses: YES }, mallory);
    assert.equal(stolen.json.error.code, -32602);
    assert.equal(door.hub.refusals.length, Object.keys(states).length + 1);
    assert.ok(door.hub.refusals.every(({ code }) => code === "CONFIRMATION_INVALID"));
    assert.equal(door.hub.refusals.at(-1)?.facts.caller?.principal.name, "mallory");
    const right = await wipe(door, "v1", { requestState: state, inputResponses: YES });
    assert.equal(right.json.result.structuredContent.echoed, "v1");
  });

  test("a yes to one call is no yes to another", async () => {
    await using door = await TestDoor.open();
    const state = await asked(door, "v1");
    const { result } = (await wipe(door, "v2", { requestState: state, inputResponses: YES })).json;
    assert.equal(result._meta["countersign/error"].code, "CONFIRMATION_INVALID");
    assert.equal(door.hub.spent.size, 0);
  });

  test("a state expires with the confirmation it holds", async () => {
    await using door = await TestDoor.open();
    const state = await asked(door);
    const payload = JSON.parse(Buffer.from(state.split(".")[1] ?? "", "base64url").toString());
    const left = payload.exp - Date.parse(payload.p.expiresAt) / 1000;
    assert.ok(left >= 0 && left < 2, "sealed until the confirmation's own end");
    door.hub.confirmationValidMs = -10_000;
    const late = (await wipe(door, "v1")).json.result.requestState;
    const now = Date.now;
    try {
      // the least that a seal lasts is a second
      Date.now = () => now() + 3000;
      const { error } = (await wipe(door, "v1", { requestState: late, inputResponses: YES })).json;
      assert.equal(error.code, -32602);
    } finally {
      Date.now = now;
    }
    assert.deepEqual(
      door.hub.refusals.map(({ code }) => code),
      ["CONFIRMATION_INVALID"],
    );
  });

  test("a client that cannot be asked is not: its call waits for people", async () => {
    await using door = await TestDoor.open();
    for (const capabilities of [{}, { elicitation: { url: {} } }, { sampling: {} }]) {
      const { result } = (await wipe(door, "v1", {}, { capabilities })).json;
      assert.equal(result._meta["countersign/error"].code, "APPROVAL_PENDING", JSON.stringify(capabilities));
    }
    for (const capabilities of [{ elicitation: {} }, { elicitation: { form: {}, url: {} } }])
      assert.equal((await wipe(door, "v1", {}, { capabilities })).json.result.resultType, "input_required");
  });
});
