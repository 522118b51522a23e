/** The database goes away under a running hub: calls are refused with codes, and nothing is left half done. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import { alive } from "./adapters/postgres/embedded-cluster.ts";
import { joinEmbeddedPostgres, stopEmbeddedPostgres } from "./adapters/postgres/embedded-postgres.ts";
import { forDatabase, makeDatabase, makeRoles } from "./adapters/postgres/embedded-roles.ts";
import { ask, eventually, loosen, moduleNamed, settledRequest, type TestHub, TestHubs } from "./test-hub.ts";

const PUT = "system_fleet_put_object";
const NO_PUTS = "lock table fleet_object in share mode";
/** What a call may come to while the database is away. */
const AWAY = ["STORE_UNAVAILABLE", "JOURNAL_UNAVAILABLE", "LANE_LOST", "AMBIGUOUS", "KEY_SERVICE_UNREACHABLE"];
/** fsync: no power is cut here, and what a killed server wrote is in the kernel's hands. */
const SETTINGS = { fsync: "off" };

/** A server that no hub starts again: it is away for as long as a test wants. */
async function serverOfOurs() {
  const folder = mkdtempSync(join(tmpdir(), "countersign-server-"));
  chmodSync(folder, 0o711);
  const options = { settings: SETTINGS, idleStopMs: 300_000, keepsProcess: false };
  const embedded = await joinEmbeddedPostgres(folder, options);
  const logins = forDatabase(await makeRoles(embedded.superuser, embedded.home), "countersign");
  const admin = new pg.Client(embedded.superuser);
  await admin.connect();
  await makeDatabase(admin, "countersign");
  await admin.end();
  await embedded.release();
  return {
    ...logins,
    superuser: { ...embedded.superuser, database: "countersign" },
    kill: () => killServer(join(folder, "postgres", "data")),
    async startAgain() {
      await (await joinEmbeddedPostgres(folder, options)).release();
    },
    async [Symbol.asyncDispose]() {
      await stopEmbeddedPostgres(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** kill -9 of the postmaster in this folder; its sessions end with it. */
async function killServer(data: string): Promise<void> {
  const pid = Number.parseInt(readFileSync(join(data, "postmaster.pid"), "utf8"), 10);
  process.kill(pid, "SIGKILL");
  await eventually("end of the server", async () => (alive(pid) ? undefined : true));
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

async function isReady(hub: TestHub): Promise<boolean> {
  return (await fetch(hub.at("/readyz"))).status === 200;
}

const ready = (hub: TestHub) => eventually("readiness", async () => ((await isReady(hub)) ? true : undefined));

async function verifies(hubs: TestHubs, hub: TestHub): Promise<void> {
  const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
}

/** Every call that has begun has its end in the journal. */
async function nothingInFlight(hubs: TestHubs): Promise<void> {
  await eventually("end of every call", async () => {
    const left = await hubs.sql("select call_id from in_flight union all select call_id from outcome_staged");
    return left.length === 0 ? true : undefined;
  });
}

test("while the database is away calls are refused with codes; when it is back the same hub goes on", async () => {
  const server = await serverOfOurs();
  await using hubs = new TestHubs(server);
  const { ada } = hubs;
  const hub = await hubs.start();
  const agent = ada.agent(hub);
  const waiting = await ask(agent, PUT, { object: moduleNamed("waiting") });
  await loosen(ada, hub, PUT);
  await ready(hub);

  const cut = { object: moduleNamed("cut") };
  const key = v7();
  await hubs.whileLocked(NO_PUTS, async ({ waiters }) => {
    const refused = assert.rejects(agent.call(PUT, cut, key), (error) => AWAY.includes(codeOf(error)));
    await waiters(1);
    await server.kill();
    await refused;
  });
  for (const call of [
    () => agent.call("system_identity_whoami"),
    () => agent.call(PUT, { object: moduleNamed("refused") }),
    () => ada.decide(hub, waiting),
  ])
    await assert.rejects(call(), { code: "STORE_UNAVAILABLE" });
  const answer = await fetch(hub.at("/readyz"));
  assert.equal(answer.status, 503);
  const { checks } = (await answer.json()) as { checks: Record<string, { ok: boolean }> };
  assert.equal(checks["database"]?.ok, false);
  assert.equal((await fetch(hub.at("/healthz"))).status, 200);

  await server.startAgain();
  await ready(hub);
  assert.equal(hub.process.child.exitCode, null);
  assert.deepEqual(await hubs.sql("select name from fleet_object"), []);
  await nothingInFlight(hubs);
  const [outcome] = await hubs.sql<{ code: string }>(
    "select code from receipt where action = $1 and phase = 'outcome' and code <> 'APPROVAL_PENDING'",
    [PUT],
  );
  assert.ok(AWAY.includes(outcome?.code ?? ""), outcome?.code);
  const again = await eventually("answer to the repeated call", async () => {
    const said = await agent.call(PUT, cut, key).catch(codeOf);
    return said === "IN_PROGRESS" ? undefined : said;
  });
  assert.equal(typeof again === "string" ? again : again.status, outcome?.code === "AMBIGUOUS" ? "AMBIGUOUS" : "done");
  await ada.decide(hub, waiting);
  assert.equal((await settledRequest(agent, waiting)).state, "executed");
  await verifies(hubs, hub);

  await server.kill();
  await assert.rejects(agent.call("system_identity_whoami"), { code: "STORE_UNAVAILABLE" });
  assert.equal(await hub.stop(), 0, hub.log());
});

const FAULTS: Readonly<Record<string, (hubs: TestHubs) => Promise<unknown>>> = {
  "its server is killed": ({ home }) => killServer(join(home, "data", "postgres", "data")),
  "all its sessions are cut": (hubs) =>
    hubs.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
    ),
};

test("under load the database breaks, again and again: every call ends once, one way or the other", async () => {
  await using hubs = TestHubs.embedded();
  const { ada } = hubs;
  const hub = await hubs.start();
  await loosen(ada, hub, PUT);
  const agent = ada.agent(hub);
  const calls = new Map<string, string>();

  for (const [name, fault] of Object.entries(FAULTS)) {
    const wave = Array.from({ length: 40 }, () => {
      const key = v7();
      calls.set(key, `m-${key}`);
      return agent.call(PUT, { object: moduleNamed(`m-${key}`) }, key).then(({ status }) => status, codeOf);
    });
    await Promise.any(wave);
    await fault(hubs);
    const answers = await Promise.all(wave);
    assert.deepEqual(
      answers.filter((said) => said !== "done" && !AWAY.includes(said)),
      [],
      name,
    );
    await ready(hub);
  }

  for (const [key, name] of calls) {
    const said = await eventually(`end of the call ${key}`, async () => {
      const answer = await agent.call(PUT, { object: moduleNamed(name) }, key).then(({ status }) => status, codeOf);
      return answer === "IN_PROGRESS" || (AWAY.includes(answer) && answer !== "AMBIGUOUS") ? undefined : answer;
    });
    assert.ok(["done", "AMBIGUOUS"].includes(said), said);
  }
  await nothingInFlight(hubs);
  const objects = await hubs.sql<{ version: number }>("select version::int from fleet_object");
  const effects = await hubs.sql("select from receipt where action = $1 and phase = 'outcome' and code = 'OK'", [PUT]);
  assert.equal(objects.length, effects.length);
  assert.ok(objects.every(({ version }) => version === 1));
  assert.deepEqual(await hubs.sql("select from idempotency where state = 'running'"), []);
  await verifies(hubs, hub);
});
