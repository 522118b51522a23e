/** Several hub processes hold a caller to one limit, say when to come back, and keep everybody else's way clear. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AGENT } from "../cli/context.ts";
import { eventually, type TestHub, TestHubs } from "./test-hub.ts";

const ME = "system_identity_whoami";
/** Far more than flows into the bucket while a test runs: a call in a second and a half. */
const PER_MINUTE = 40;
/** What a process may run ahead of the others. */
const AHEAD = 2;

describe("rate limits of hubs on one database", () => {
  let hubs: TestHubs;
  let [a, b] = [] as unknown as [TestHub, TestHub];
  before(async () => {
    hubs = await TestHubs.open();
    const env = { COUNTERSIGN_RATE_PER_PRINCIPAL: String(PER_MINUTE), COUNTERSIGN_RATE_PER_ADDRESS: "30" };
    a = await hubs.start(env);
    b = await hubs.start(env);
  });
  after(() => hubs[Symbol.asyncDispose]());

  async function ask(hub: TestHub, token: string): Promise<{ status: number; after: number; code?: string }> {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(hub.at(`/v1/actions/${ME}`), { method: "POST", headers, body: "{}" });
    const { code } = (await response.json()) as { code?: string };
    return { status: response.status, after: Number(response.headers.get("retry-after")), ...(code && { code }) };
  }

  it("count together what one principal asks of each, and nobody else's", async () => {
    const token = hubs.ada.token(AGENT);
    const began = performance.now();
    const answers = [];
    for (let n = 0; n < PER_MINUTE; n++) for (const hub of [a, b]) answers.push(await ask(hub, token));
    const passed = answers.filter(({ status }) => status === 200).length;
    const flown = Math.ceil(((performance.now() - began) / 60_000) * PER_MINUTE);
    assert.ok(passed >= PER_MINUTE && passed <= PER_MINUTE + 2 * AHEAD + flown, `${passed}, ${flown} of them flown in`);
    const refused = answers.filter(({ status }) => status !== 200);
    assert.deepEqual([...new Set(refused.map(({ status, code }) => `${status} ${code}`))], ["429 RATE_LIMITED"]);
    assert.ok(refused.every(({ after: seconds }) => seconds >= 1 && seconds <= 60));
    for (const hub of [a, b]) assert.equal((await ask(hub, hubs.ada.token())).status, 200);
  });

  it("record the refusals in the account of who was refused", async () => {
    const rows = await eventually("receipts of the flood", async () => {
      const found = await hubs.sql<{ account: string; action: string; principal: string }>(
        "select account_id as account, action, principal_id as principal from receipt where code = 'RATE_LIMITED'",
      );
      return found.length > 0 ? found : undefined;
    });
    const [agent, ...more] = new Set(rows.map(({ principal }) => principal));
    const kind = await hubs.sql<{ kind: string }>("select kind from principal where id = $1", [agent]);
    assert.deepEqual([kind, more], [[{ kind: "agent" }], []]);
    assert.ok(rows.every(({ account, action }) => account === hubs.accountId && action === "door"));
  });

  it("throttle who guesses tokens, and nobody whose token they know", async () => {
    const [prefix, id] = hubs.ada.token().split("_");
    const answers = [];
    for (let n = 0; n < 40; n++)
      answers.push(await ask([a, b][n % 2] as TestHub, `${prefix}_${id}_${String(n).padStart(43, "A")}`));
    assert.ok(answers.filter(({ status }) => status === 401).length <= 34);
    assert.deepEqual([answers.at(-1)?.status, answers.at(-1)?.code], [429, "RATE_LIMITED"]);
    for (const hub of [a, b]) assert.equal((await ask(hub, hubs.ada.token())).status, 200);
  });

  it("keep no address and no principal in the table", async () => {
    const rows = await hubs.sql<{ row: string }>("select to_jsonb(b)::text as row from rate_bucket b");
    assert.ok(rows.length >= 2);
    for (const { row } of rows)
      assert.match(row, /^\{"key": "\\\\x[0-9a-f]{32}", "level": [-0-9.e]+, "counted_at": "[^"]+"\}$/);
  });
});
