/**
 * What a running hub refuses over the wire: with a code, a sentence and the path of the bad field, recorded in the
 * account it belongs to; and nothing else happens. Each refusal has a twin that is accepted.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { AGENT } from "../cli/context.ts";
import { eventually, loosen, moduleNamed, policyOf, TestHubs, type TestPerson } from "./test-hub.ts";
import { type Answer, type Expected, type Sent, Wire } from "./wire.fixture.ts";

const PUT = "system_fleet_put_object";
const LIST = "system_fleet_list_objects";

let hubs: TestHubs;
let wire: Wire;
/** A person of another account, with an agent. */
let eve: TestPerson & { readonly accountId: string };

before(async () => {
  hubs = await TestHubs.open();
  const hub = await hubs.start();
  wire = new Wire(hubs, hub);
  eve = await hubs.addAccount("Eve");
  for (const person of [hubs.ada, eve]) await loosen(person, hub, PUT);
});
after(() => hubs[Symbol.asyncDispose]());

describe("bad input", () => {
  const object = moduleNamed("good");
  const put = (change: object) => ({ object: { ...object, ...change } });
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
  const large = { annotations: { notes: "x".repeat(10_000_000) } };
  const json = (text: string) => `{"object":${text}}`;
  const annotated = (raw: string) => json(JSON.stringify({ ...object, annotations: { n: "?" } }).replace('"?"', raw));

  const cases: Readonly<Record<string, Omit<Sent, "token"> & Expected>> = {
    "an unknown field": { body: { object, colour: "red" }, code: "INPUT_INVALID", path: "colour" },
    "an unknown field further in": { body: put({ colour: "red" }), code: "INPUT_INVALID", path: "object.colour" },
    "a wrong type": { body: put({ name: 7 }), code: "INPUT_INVALID", path: "object.name" },
    "a missing field": { body: {}, code: "INPUT_INVALID" },
    "a list for an object": { body: "[]", code: "INPUT_INVALID" },
    null: { body: put({ spec: null }), code: "INPUT_INVALID", path: "object.spec" },
    "a version that is no whole number": {
      body: { object, expectedVersion: 1.5 },
      code: "INPUT_INVALID",
      path: "expectedVersion",
    },
    "a number beyond all": { body: '{"object":1e400}', code: "INPUT_INVALID", recordedAs: "door" },
    "10 MB": { body: put(large), code: "INPUT_TOO_LARGE", recordedAs: "door" },
    "a text that is too long": {
      body: put({ annotations: { notes: "x".repeat(1_000_000) } }),
      code: "INPUT_INVALID",
      path: "object.annotations.notes",
    },
    "many values": { body: put({ annotations: Array.from({ length: 100_001 }, () => 1) }), code: "INPUT_TOO_LARGE" },
    "a hundred levels": { body: json(deep(100)), code: "INPUT_INVALID" },
    "a hundred thousand levels": { body: json(deep(100_000)), code: "INPUT_INVALID", recordedAs: "door" },
    "half a surrogate pair": {
      body: annotated('"\\ud800"'),
      code: "INPUT_INVALID",
      recordedAs: "door",
      path: "object.annotations.n",
    },
    "half a pair in a name": { body: '{"\\udfff":1}', code: "INPUT_INVALID", recordedAs: "door" },
    NUL: { body: annotated('"a\\u0000b"'), code: "INPUT_INVALID", recordedAs: "door", path: "object.annotations.n" },
    "a member called __proto__": {
      body: json('{"__proto__":{"kind":"Module"}}'),
      code: "INPUT_INVALID",
      recordedAs: "door",
    },
    "a member called constructor": {
      body: json('{"constructor":{"prototype":{"kind":"Module"}}}'),
      code: "INPUT_INVALID",
    },
    "a name twice": { body: '{"object":1,"object":2}', code: "INPUT_INVALID", recordedAs: "door" },
    "no JSON": { body: "{object}", code: "INPUT_INVALID", recordedAs: "door" },
    "no UTF-8": { body: Buffer.from([0x22, 0xff, 0x22]), code: "INPUT_INVALID", recordedAs: "door" },
    "another type of body": {
      body: "a=b",
      headers: { "content-type": "text/plain" },
      code: "MEDIA_TYPE_UNSUPPORTED",
      recordedAs: "door",
    },
    "an idempotency key with a space": {
      body: { object },
      headers: { "idempotency-key": "a b" },
      code: "INPUT_INVALID",
      path: "idempotencyKey",
      recordedAs: "unknown",
    },
  };

  for (const [what, { body, headers, ...expected }] of Object.entries(cases)) {
    it(`refuses ${what}`, async () => {
      await wire.refused(what, PUT, { token: hubs.ada.token(AGENT), body, ...(headers && { headers }) }, expected);
    });
  }

  it("refuses a cursor that is none, a limit beyond the limits and an action that does not exist", async () => {
    const token = hubs.ada.token(AGENT);
    await wire.refused("a bad cursor", LIST, { token, body: { cursor: "AAAA" } }, { code: "CURSOR_INVALID" });
    await wire.refused("a limit", LIST, { token, body: { limit: 201 } }, { code: "INPUT_INVALID", path: "limit" });
    await wire.refused(
      "no action",
      "system_fleet_destroy_all",
      { token },
      { code: "ACTION_UNKNOWN", recordedAs: "unknown" },
    );
    await wire.accepted(LIST, { token, body: { limit: 200 } });
  });

  it("accepts the same object without all this, in the account that calls", async () => {
    const annotations = { n: "a whole pair, \u{1f600}, and \\ud800 spelt out" };
    await wire.accepted(PUT, { token: hubs.ada.token(AGENT), body: put({ annotations }) });
    await wire.refused(
      "the other account",
      "system_fleet_get_object",
      {
        token: eve.token(AGENT),
        body: { kind: object.kind, name: object.name },
      },
      { code: "NOT_FOUND", account: eve.accountId },
    );
  });
});

describe("tokens", () => {
  const ME = "system_identity_whoami";
  const DOORS = [{}, { path: "/mcp" }];

  /** At both doors. These refusals carry no trace into their receipts, which are counted instead. */
  async function refusedAtDoors(token: string | undefined, code: string, account: string): Promise<void> {
    const counted = async () => {
      const text = "select from receipt where account_id = $1 and action = 'door' and code = $2 and phase = 'outcome'";
      return (await hubs.sql(text, [account, code])).length;
    };
    const known = await counted();
    for (const door of DOORS) {
      const { status, answer, headers } = await wire.send(ME, { token, ...door, ...(door.path && { body: PING }) });
      assert.equal(status, code === "PRINCIPAL_BANNED" ? 403 : 401);
      if (status === 401) assert.match(headers.get("www-authenticate") ?? "", /^Bearer realm="countersign"/);
      assert.match(JSON.stringify(answer), new RegExp(code));
    }
    await eventually(`receipts of ${code}`, async () =>
      (await counted()) === known + DOORS.length ? true : undefined,
    );
  }
  const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

  it("that are none are refused, and the hub's own account is told", async () => {
    const token = eve.token(AGENT);
    // a secret may hold underscores itself
    const [prefix, id, ...secret] = token.split("_");
    const others: Readonly<Record<string, string | undefined>> = {
      "no token": undefined,
      "cut short": token.slice(0, -1),
      "its first half": `${prefix}_${id}`,
      "another's secret": `${prefix}_${id}_${hubs.ada.token(AGENT).slice(-43)}`,
      "an id that nobody has": `${prefix}_${v7().replaceAll("-", "")}_${secret.join("_")}`,
      "upper case": token.toUpperCase(),
      "another prefix": token.replace("cs_", "csi_"),
    };
    for (const other of Object.values(others)) await refusedAtDoors(other, "UNAUTHENTICATED", hubs.accountId);
    await wire.accepted(ME, { token });
  });

  it("of the banned, that have expired and that were revoked are refused, and their own account is told", async () => {
    const token = eve.token(AGENT);
    const { principal, token: mine } = (await eve.agent(wire.hub).done(ME)).output;
    const [principalId, tokenId] = [(principal as { id: string }).id, (mine as { id: string }).id];

    await eve.operator(wire.hub).done("system_identity_ban_principal", { principalId, reason: "to see it refused" });
    await refusedAtDoors(token, "PRINCIPAL_BANNED", eve.accountId);
    await eve.run(wire.hub, "system_identity_unban_principal", { principalId, reason: "it was" });
    await wire.accepted(ME, { token });

    const expire = "update token set expires_at = now() + $2::interval where id = $1";
    await hubs.sql(expire, [tokenId, "-1 second"]);
    await refusedAtDoors(token, "TOKEN_EXPIRED", eve.accountId);
    await hubs.sql(expire, [tokenId, "1 day"]);
    await wire.accepted(ME, { token });

    await eve.operator(wire.hub).done("system_identity_revoke_token", { tokenId });
    await refusedAtDoors(token, "TOKEN_REVOKED", eve.accountId);
    await wire.accepted(ME, { token: eve.token() });
  });

  it("do not belong into an address", async () => {
    const path = `/v1/actions/${ME}?token=${eve.token()}`;
    await wire.refused("in the query", ME, { token: eve.token(), path }, { code: "INPUT_INVALID", recordedAs: "door" });
    assert.ok(!wire.hub.log().includes(eve.token()));
  });

  it("are not what an invitation's code is", async () => {
    const invited = await eve.run(wire.hub, "system_identity_invite_person", { personName: "Finn", roles: ["reader"] });
    const { output } = await eve.operator(wire.hub).done("system_identity_claim_secret", { claimId: invited.claimId });
    const code = String(output.secret);
    for (const [action, body] of [
      [LIST, {}],
      [PUT, { object: moduleNamed("by-code") }],
      ["system_identity_list_principals", {}],
    ] as const)
      await wire.refused("by code", action, { token: code, body }, { code: "FORBIDDEN", account: eve.accountId });
  });
});

describe("a confirmation", () => {
  const YES = { inputResponses: { confirm: { action: "accept", content: { confirm: true } } } };

  before(async () => {
    const { output } = await hubs.ada.operator(wire.hub).done("system_policy_get");
    const input = { document: policyOf(PUT, "confirm"), baseVersion: output.version };
    await hubs.ada.run(wire.hub, "system_policy_put", input);
  });

  const codeOf = ({ answer }: { answer: Answer }) =>
    (answer.result as { _meta?: Record<string, { code?: string }> })._meta?.["countersign/error"]?.code;

  it("that is replayed carries nothing out a second time, and is recorded", async () => {
    const token = hubs.ada.token(AGENT);
    const object = moduleNamed("confirmed");
    const asked = await wire.callTool(PUT, { object }, { token });
    assert.equal((await wire.receiptsOf(asked.traceId))[0]?.code, "CONFIRMATION_REQUIRED");
    const { requestState } = asked.answer.result as { requestState: string };
    const round = { requestState, ...YES };

    const another = await wire.callTool(PUT, { object: moduleNamed("another") }, { token, round });
    assert.equal(codeOf(another), "CONFIRMATION_INVALID");
    assert.deepEqual(
      (await wire.receiptsOf(another.traceId)).map(({ code }) => code),
      ["CONFIRMATION_INVALID"],
    );

    const first = await wire.callTool(PUT, { object }, { token, round });
    assert.equal(codeOf(first), undefined, JSON.stringify(first.answer));
    const replays = await Promise.all(
      [1, 2].map(() => wire.callTool(PUT, { object, expectedVersion: 1 }, { token, round })),
    );
    for (const replay of replays) assert.notEqual(codeOf(replay), undefined);
    const again = await wire.callTool(PUT, { object }, { token, round });
    assert.equal(codeOf(again), "APPROVAL_SPENT");
    assert.deepEqual(
      (await wire.receiptsOf(again.traceId)).map(({ code }) => code),
      ["APPROVAL_SPENT"],
    );
    assert.deepEqual(await hubs.sql("select version::int from fleet_object where name = $1", [object.name]), [
      { version: 1 },
    ]);
  });

  it("given twice at once counts once", async () => {
    const token = hubs.ada.token(AGENT);
    const object = moduleNamed("confirmed-twice");
    const { answer } = await wire.callTool(PUT, { object }, { token });
    const { requestState } = answer.result as { requestState: string };
    const rounds = Array.from({ length: 4 }, () =>
      wire.callTool(PUT, { object }, { token, round: { requestState, ...YES } }),
    );
    const codes = (await Promise.all(rounds)).map((told) => codeOf(told) ?? "OK");
    assert.deepEqual(codes.sort(), ["APPROVAL_SPENT", "APPROVAL_SPENT", "APPROVAL_SPENT", "OK"]);
  });

  it("cannot be asked for at the plain door: the call waits for a person", async () => {
    const { answer } = await wire.send(PUT, { token: hubs.ada.token(AGENT), body: { object: moduleNamed("asked") } });
    assert.equal(answer.status, "pending");
  });

  it("and what it is for obey the same rules of input at this door", async () => {
    const token = hubs.ada.token(AGENT);
    const bad = await wire.callTool(PUT, { object: moduleNamed("bad"), colour: "red" }, { token });
    const { code, path } = (bad.answer.result as { _meta: Record<string, Answer> })._meta["countersign/error"] ?? {};
    assert.deepEqual([code, path], ["INPUT_INVALID", "colour"]);
    assert.deepEqual(
      (await wire.receiptsOf(bad.traceId)).map(({ action, code }) => [action, code]),
      [[PUT, "INPUT_INVALID"]],
    );
  });
});
