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
import { ExternalPostgres } from "./external-postgres.fixture.ts";
import { codeOf, nothingInFlight, PUT, PutLoad } from "./put-load.fixture.ts";
import { ask, eventually, loosen, moduleNamed, settledRequest, type TestHub, TestHubs } from "./test-hub.ts";

const NO_PUTS = "lock table fleet_object in share mode";
/** What a call may come to while the database is away. */
const AWAY = ["STORE_UNAVAILABLE", "JOURNAL_UNAVAILABLE", "LANE_LOST", "AMBIGUOUS", "KEY_SERVICE_UNREACHABLE"];
const isDone = (said: string) => said === "done";
const isRefused = (said: string) => AWAY.includes(said);
const isStrange = (said: string) => !isDone(said) && !isRefused(said);
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

async function isReady(hub: TestHub): Promise<boolean> {
  return (await fetch(hub.at("/readyz"))).status === 200;
}

const ready = (hub: TestHub) => eventually("readiness", async () => ((await isReady(hub)) ? true : undefined));

async function verifies(hubs: TestHubs, hub: TestHub): Promise<void> {
  const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output.ok, true, JSON.stringify(output));
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
  const load = new PutLoad(hubs, ada.agent(hub));
  for (const fault of Object.values(FAULTS)) {
    await load.until(20, isDone);
    await fault(hubs);
    await load.until(1, isRefused);
    await ready(hub);
  }
  await load.until(20, isDone);
  await load.stop();
  assert.deepEqual([...load.calls.values()].filter(isStrange), []);
  await load.settle();
  await verifies(hubs, hub);
});

/** How a server of somebody else's comes to be away; it stays so until it is started again. */
const STOPS: Readonly<Record<string, (server: ExternalPostgres, load: PutLoad) => Promise<void>>> = {
  "it is told to end, and then to be quick about it": async (server, load) => {
    server.dismiss(); // the hub's sessions go on, new ones are refused
    await load.until(10, () => true);
    await server.stop("SIGINT");
  },
  "it is killed": (server) => server.stop("SIGKILL"),
};

test("under load the database is stopped and started again: the same hub refuses with codes, and goes on", async () => {
  await using server = await ExternalPostgres.start(18);
  const logins = await server.roles();
  await using hubs = new TestHubs({ ...logins, superuser: server.admin, [Symbol.asyncDispose]: async () => {} });
  const { ada } = hubs;
  const hub = await hubs.start();
  await loosen(ada, hub, PUT);
  const load = new PutLoad(hubs, ada.agent(hub));
  for (const stop of Object.values(STOPS)) {
    await load.until(20, isDone);
    await stop(server, load);
    await load.until(40, isRefused);
    assert.equal((await fetch(hub.at("/readyz"))).status, 503);
    assert.equal((await fetch(hub.at("/healthz"))).status, 200);
    await server.startAgain();
    await ready(hub);
  }
  await load.until(20, isDone);
  await load.stop();
  assert.equal(hub.process.child.exitCode, null);
  assert.deepEqual([...load.calls.values()].filter(isStrange), []);
  await load.settle();
  await verifies(hubs, hub);
  assert.equal(await hub.stop(), 0, hub.log());
});
