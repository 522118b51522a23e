/**
 * What a running hub refuses over the wire: with a code, a sentence and the path of the bad field, recorded in the
 * account it belongs to; and nothing else happens. Each refusal has a twin that is accepted.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { AGENT, OPERATOR } from "../cli/context.ts";
import { actions } from "../tools/index.ts";
import { createRegistry } from "./action/registry.ts";
import { eventually, loosen, moduleNamed, type TestHub, TestHubs, type TestPerson } from "./test-hub.ts";

const PUT = "system_fleet_put_object";
const LIST = "system_fleet_list_objects";

let hubs: TestHubs;
let hub: TestHub;
/** A person of another account, with an agent. */
let eve: TestPerson & { readonly accountId: string };

before(async () => {
  hubs = await TestHubs.open();
  hub = await hubs.start();
  eve = await hubs.addAccount("Eve");
  for (const person of [hubs.ada, eve]) await loosen(person, hub, PUT);
});
after(() => hubs[Symbol.asyncDispose]());

interface Sent {
  readonly token?: string | undefined;
  /** As it is, where it is text or bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

type Answer = Readonly<Record<string, unknown>>;

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly path?: string;
  readonly details?: unknown;
}

/** One request of its own trace. Answers with the status, what was said and the trace's id. */
async function send(action: string, { token, body = {}, headers = {}, path }: Sent) {
  const traceId = randomBytes(16).toString("hex");
  const response = await fetch(hub.at(path ?? `/v1/actions/${action}`), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      traceparent: `00-${traceId}-${"1".repeat(16)}-01`,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
  return { traceId, status: response.status, headers: response.headers, answer: (await response.json()) as Answer };
}

interface Receipt {
  readonly account: string;
  readonly action: string;
  readonly principal: string | null;
  readonly phase: string;
  readonly code: string;
}

/** Receipts of one trace, once its call has its outcome. */
function receiptsOf(traceId: string): Promise<Receipt[]> {
  return eventually(`receipt of the trace ${traceId}`, async () => {
    const rows = await hubs.sql<Receipt>(
      `select account_id as account, action, principal_id as principal, phase, code from receipt
       where position($1::bytea in statement) > 0 order by sequence`,
      [Buffer.from(traceId)],
    );
    return rows.some(({ phase }) => phase === "outcome") ? rows : undefined;
  });
}

/** What calls change: every tenant's rows but the journal's, and when a token was last used. */
async function everything(): Promise<string> {
  const tables = await hubs.sql<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'
     and table_name not in ('receipt', 'lane', 'lane_commit', 'lane_node', 'lane_integrated', 'log_entry', 'account_log',
       'in_flight', 'outcome_staged', 'journal_epoch', '_prisma_migrations') order by 1`,
  );
  assert.ok(tables.length > 10);
  const rows = tables.map(
    ({ name }) => `select '${name}' as t, (to_jsonb(x) - 'last_used_at' - 'position')::text as r from "${name}" x`,
  );
  const [sum] = await hubs.sql<{ md5: string }>(
    `select md5(string_agg(t || r, '|' order by t, r)) as md5 from (${rows.join(" union all ")}) as all_rows`,
  );
  return String(sum?.md5);
}

interface Expected {
  readonly code: string;
  readonly path?: string;
  /** What the receipt says was called; the action where a call came to the gate. */
  readonly recordedAs?: string;
  readonly account?: string;
}

/** Sends what has to be refused, and checks all that a refusal is. */
async function refused(what: string, action: string, sent: Sent, expected: Expected): Promise<Problem> {
  const before = await everything();
  const { traceId, status, answer } = await send(action, sent);
  const problem = { ...answer, status } as unknown as Problem;
  assert.equal(problem.code, expected.code, `${what}: ${JSON.stringify(answer)}`);
  assert.ok(status >= 400, what);
  assert.match(problem.detail, /^[A-Za-z`].{8,}/, what);
  if (expected.path !== undefined) assert.equal(problem.path, expected.path, what);
  const receipts = await receiptsOf(traceId);
  const outcome = receipts.find(({ phase }) => phase === "outcome");
  assert.deepEqual(
    [outcome?.code, outcome?.action, outcome?.account, receipts.filter(({ phase }) => phase === "outcome").length],
    [expected.code, expected.recordedAs ?? action, expected.account ?? hubs.accountId, 1],
    what,
  );
  assert.equal(await everything(), before, `${what}: something happened`);
  return problem;
}

/** The same call as it should be. */
async function accepted(action: string, sent: Sent): Promise<void> {
  const { traceId, answer } = await send(action, sent);
  assert.equal(answer.status, "done", JSON.stringify(answer));
  assert.equal((await receiptsOf(traceId)).at(-1)?.code, "OK");
}

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
    "a member called __proto__": { body: json('{"__proto__":{"kind":"Module"}}'), code: "INPUT_INVALID", recordedAs: "door" },
    "a member called constructor": { body: json('{"constructor":{"prototype":{"kind":"Module"}}}'), code: "INPUT_INVALID" },
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
    },
  };

  for (const [what, { body, headers, ...expected }] of Object.entries(cases)) {
    it(`refuses ${what}`, async () => {
      await refused(what, PUT, { token: hubs.ada.token(AGENT), body, ...(headers && { headers }) }, expected);
    });
  }

  it("refuses a cursor that is none, a limit beyond the limits and an action that does not exist", async () => {
    const token = hubs.ada.token(AGENT);
    await refused("a bad cursor", LIST, { token, body: { cursor: "AAAA" } }, { code: "CURSOR_INVALID" });
    await refused("a limit", LIST, { token, body: { limit: 201 } }, { code: "INPUT_INVALID", path: "limit" });
    await refused(
      "no action",
      "system_fleet_destroy_all",
      { token },
      { code: "ACTION_UNKNOWN", recordedAs: "unknown" },
    );
    await accepted(LIST, { token, body: { limit: 200 } });
  });

  it("accepts the same object without all this, in the account that calls", async () => {
    const annotations = { n: "a whole pair, \u{1f600}, and \\ud800 spelt out" };
    await accepted(PUT, { token: hubs.ada.token(AGENT), body: put({ annotations }) });
    await refused(
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

describe("ids of another account", () => {
  /** For each field that takes an id: one of the caller's account, and one of Eve's. */
  type Ids = Readonly<Record<string, readonly [own: string, foreign: string]>>;

  /** What an account has ids for. */
  async function idsOf(person: TestPerson): Promise<Record<string, string>> {
    const me = (await person.operator(hub).done("system_identity_whoami")).output;
    const agent = (await person.agent(hub).done("system_identity_whoami")).output;
    const { id: personId } = (me.principal as { person: { id: string } }).person;
    const { id: principalId } = agent.principal as { id: string };
    const { id: tokenId } = agent.token as { id: string };
    const invited = await person.run(hub, "system_identity_invite_person", { personName: "Nobody", roles: ["reader"] });
    const waiting = await ask(person.agent(hub), "system_fleet_delete_object", {
      kind: "Module",
      name: (await person.agent(hub).done(PUT, { object: moduleNamed(`of-${v7()}`) })).output.object,
    }).catch(() => undefined);
    assert.equal(waiting, undefined);
    const asking = { kind: "service", name: `asked ${v7()}`, roles: ["reader"] };
    const requestId = await ask(person.agent(hub), "system_identity_create_principal", asking);
    const { callId } = (await person.agent(hub).done(PUT, { object: moduleNamed(`m-${v7()}`) })).receipt;
    return {
      personId,
      ownerPersonId: personId,
      principalId,
      requesterId: principalId,
      as: principalId,
      tokenId,
      claimId: String(invited.claimId),
      invitationId: String(invited.invitationId),
      requestId,
      callId,
      id: `${callId}.outcome`,
    };
  }
});
