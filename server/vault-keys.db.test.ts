/** A whole hub whose keys are in Vault: what it does with them, and what becomes of it when Vault is sealed or gone. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { v7 } from "uuid";
import { ROOT_TOKEN, VaultServer } from "./adapters/vault/vault-server.fixture.ts";
import { ask, eventually, loosen, moduleNamed, settledRequest, type TestHub, TestHubs } from "./test-hub.ts";

const PUT = "system_fleet_put_object";

async function hubsOnVault() {
  const vault = await VaultServer.open();
  const hubs = await TestHubs.open();
  const folder = join(hubs.home, "vault");
  mkdirSync(folder, { mode: 0o700 });
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, ROOT_TOKEN, { mode: 0o600 });
  const env = {
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: vault.address,
    COUNTERSIGN_VAULT_TOKEN_FILE: tokenFile,
  };
  return {
    vault,
    hubs,
    start: (changes: NodeJS.ProcessEnv = {}) => hubs.start({ ...env, ...changes }),
    async [Symbol.asyncDispose]() {
      await hubs[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

interface Ready {
  readonly status: number;
  readonly keys: { readonly ok: boolean; readonly code?: string } | undefined;
}

async function readyz(hub: TestHub): Promise<Ready> {
  const answer = await fetch(hub.at("/readyz"));
  const { checks } = (await answer.json()) as { checks: Record<string, NonNullable<Ready["keys"]>> };
  return { status: answer.status, keys: checks["keys"] };
}

const ready = (hub: TestHub) =>
  eventually("readiness", async () => ((await readyz(hub)).status === 200 ? true : undefined));

async function verifies(hubs: TestHubs, hub: TestHub): Promise<void> {
  const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
}

test("approvals, idempotency, journal and restarts work with keys in Vault, and none is in the database", async () => {
  await using room = await hubsOnVault();
  const { vault, hubs, start } = room;
  const { ada } = hubs;
  const hub = await start();
  await ready(hub);
  const request = await ask(ada.agent(hub), PUT, { object: moduleNamed("approved") });
  const [held] = await hubs.sql<{ held: string }>("select held from approval_request where id = $1", [request]);
  assert.match(held?.held ?? "", /^vault:v1:/);
  // the input that waited was opened by a hub that had not sealed it
  const other = await start();
  await hub.stop();
  await ada.decide(other, request);
  assert.equal((await settledRequest(ada.operator(other), request)).state, "executed");
  await loosen(ada, other, PUT);
  const key = v7();
  const first = await ada.agent(other).call(PUT, { object: moduleNamed("once") }, key);
  assert.deepEqual(await ada.agent(other).call(PUT, { object: moduleNamed("once") }, key), first);
  await verifies(hubs, other);
  await other.stop();

  const again = await start();
  await verifies(hubs, again);
  assert.deepEqual(await ada.agent(again).call(PUT, { object: moduleNamed("once") }, key), first);
  assert.equal(again.process.ready.rootKey, hub.process.ready.rootKey);
  assert.deepEqual(await hubs.sql("select from key_version"), []);
  const made = vault.asked("/keys/").filter(({ method }) => method === "POST");
  assert.equal(made.length, 3);
  for (const each of [hub, other, again]) assert.ok(!each.log().includes("hvs."));
});

test("sealed, Vault has calls refused with that code; unsealed, the same hub goes on", async () => {
  await using room = await hubsOnVault();
  const { vault, hubs, start } = room;
  const { ada } = hubs;
  const hub = await start();
  await loosen(ada, hub, PUT);
  await ready(hub);
  const agent = ada.agent(hub);
  vault.sealed = true;
  for (const name of ["one", "two", "three", "four", "five"]) {
    await assert.rejects(agent.call(PUT, { object: moduleNamed(name) }), { code: "KEY_SERVICE_SEALED" });
  }
  await assert.rejects(agent.call(PUT, { object: moduleNamed("keyed") }, v7()), { code: "KEY_SERVICE_SEALED" });
  const { status, keys } = await readyz(hub);
  assert.deepEqual({ status, keys }, { status: 503, keys: { ok: false, code: "KEY_SERVICE_SEALED" } });
  assert.equal((await fetch(hub.at("/healthz"))).status, 200);
  assert.deepEqual(await hubs.sql("select from fleet_object"), []);
  // a hub that starts meanwhile says so, and does not come up half
  await assert.rejects(start(), { code: "KEY_SERVICE_SEALED" });

  vault.sealed = false;
  await ready(hub);
  await agent.done(PUT, { object: moduleNamed("after") });
  await verifies(hubs, hub);
  const refused = await hubs.sql("select from receipt where code = 'KEY_SERVICE_SEALED'");
  assert.ok(refused.length >= 6);
});

test("gone, Vault has calls refused; back, it is found again; with another token, so is that", async () => {
  await using room = await hubsOnVault();
  const { vault, hubs, start } = room;
  const { ada } = hubs;
  const hub = await start();
  await loosen(ada, hub, PUT);
  const agent = ada.agent(hub);
  await vault.stop();
  for (const name of ["one", "two", "three", "four"]) {
    await assert.rejects(agent.call(PUT, { object: moduleNamed(name) }), { code: "KEY_SERVICE_UNREACHABLE" });
  }
  assert.deepEqual((await readyz(hub)).keys, { ok: false, code: "KEY_SERVICE_UNREACHABLE" });
  await vault.listen();
  await ready(hub);
  await agent.done(PUT, { object: moduleNamed("back") });

  vault.tokens.clear();
  await assert.rejects(agent.call(PUT, { object: moduleNamed("denied") }), { code: "KEY_SERVICE_DENIED" });
  assert.deepEqual((await readyz(hub)).keys, { ok: false, code: "KEY_SERVICE_DENIED" });
  vault.addToken("hvs.another");
  writeFileSync(join(hubs.home, "vault", "token"), "hvs.another");
  await ready(hub);
  await agent.done(PUT, { object: moduleNamed("renewed") });
  await verifies(hubs, hub);
});
