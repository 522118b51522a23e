/** The answer to a COMMIT that was made is lost: what is told and recorded is what the database holds. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import { credentialClaim, credentialView } from "../contracts/credentials/credential.ts";
import { LossyPath } from "./lost-answer.fixture.ts";
import { nothingInFlight, PUT } from "./put-load.fixture.ts";
import { loosen, moduleNamed, type TestHub } from "./test-hub.ts";

let path: LossyPath;
let hub: TestHub;
before(async () => {
  path = await LossyPath.open();
  hub = await path.hubs.start();
});
after(() => path[Symbol.asyncDispose]());

/** How each call of this action ended, by its receipts: the newest call first. */
async function endings(action: string): Promise<string[][]> {
  await nothingInFlight(path.hubs);
  const rows = await path.hubs.sql<{ codes: string[] }>(
    "select array_agg(code order by phase) as codes from receipt where action = $1 group by call_id order by call_id desc",
    [action],
  );
  return rows.map(({ codes }) => codes);
}

async function verifies(): Promise<void> {
  const { output } = await path.hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
}

test("a request for approval stands, and its receipt names it", async () => {
  const agent = path.hubs.ada.agent(hub);
  const object = moduleNamed("asked");
  const lost = path.loseNext();
  const asked = assert.rejects(agent.call(PUT, { object }), { code: "AMBIGUOUS" });
  (await lost)();
  await asked;
  assert.deepEqual(await endings(PUT), [["APPROVAL_PENDING"]]);
  const again = await agent.call(PUT, { object });
  assert.equal(again.status, "pending");
  const requests = await path.hubs.sql<{ state: string }>("select state from approval_request");
  assert.deepEqual(requests, [{ state: "open" }], "asked for again, it is the same one");
  await verifies();
});

test("a change is made once, and recorded as made", async () => {
  const { ada } = path.hubs;
  await loosen(ada, hub, PUT);
  const [object, key] = [moduleNamed("put"), v7()];
  const lost = path.loseNext();
  const put = assert.rejects(ada.agent(hub).call(PUT, { object }, key), { code: "AMBIGUOUS" });
  (await lost)();
  await put;
  assert.deepEqual((await endings(PUT))[0], ["PENDING", "OK"]);
  assert.equal((await ada.agent(hub).call(PUT, { object }, key)).status, "done");
  assert.deepEqual(await path.hubs.sql("select version::int from fleet_object where name = 'put'"), [{ version: 1 }]);
  await verifies();
});

test("a secret whose giver hung up meanwhile is there, and the journal's latest", async () => {
  const { ada } = path.hubs;
  const stored = await ada.run(hub, "system_credentials_store", {
    ...{ name: "deploy", kind: "bearer-token", description: "a test" },
    ...{ allowedHosts: ["api.example.com"], consumers: ["gateway"] },
  });
  const { link } = credentialClaim.parse(stored["claim"]);
  const giver = new AbortController();
  const lost = path.loseNext();
  const given = fetch(hub.at(new URL(link).pathname), {
    method: "POST",
    body: new URLSearchParams({ secret: "correct-horse-battery-1" }),
    signal: giver.signal,
  });
  const hungUp = assert.rejects(given, { name: "AbortError" });
  const cut = await lost;
  giver.abort();
  await hungUp;
  assert.equal((await fetch(hub.at("/healthz"))).status, 200); // by then the hub knows that nobody waits
  cut();
  assert.deepEqual((await endings("system_credentials_provide_secret"))[0], ["PENDING", "OK"]);
  const { output } = await ada.operator(hub).done("system_credentials_get_metadata", { name: "deploy" });
  assert.equal(credentialView.parse(output["credential"]).state, "ready");
  // a row that is not the journal's latest would be refused
  await ada.run(hub, "system_credentials_rotate", { name: "deploy" });
  await verifies();
});
