/**
 * The oldest and the newest PostgreSQL that the hub serves, each a server of somebody else's that DATABASE_URL leads to:
 * from a refused superuser, by the commands that the refusal holds, to a hub that does its whole work and starts again.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { Logins } from "./adapters/postgres/embedded-roles.ts";
import { openDatabase } from "./adapters/postgres/open-database.ts";
import { HubError } from "./errors.ts";
import { ExternalPostgres } from "./external-postgres.fixture.ts";
import { GitopsFixture } from "./gitops.fixture.ts";
import { ask, moduleNamed, settledRequest, type TestHub, TestHubs, urlOf } from "./test-hub.ts";

const PUT = "system_fleet_put_object";

/** What `on delete restrict` answers with; fleet-store.ts takes both for the same. */
const RESTRICTED = { 15: "23503", 18: "23001" };

for (const version of [15, 18] as const)
  describe(`PostgreSQL ${version}`, () => {
    it("refuses its administrator, takes the two roles that the refusal tells to make, and does the whole work", async () => {
      await using server = await ExternalPostgres.start(version);
      assert.deepEqual(await server.query("select current_setting('server_version_num')::int / 10000 as version"), [
        { version },
      ]);
      const logins = await followRefusal(server);
      await using hubs = new TestHubs({ ...logins, superuser: server.admin, [Symbol.asyncDispose]: async () => {} });
      const unsafe = { DATABASE_URL: urlOf(server.admin) };
      await assert.rejects(hubs.start(unsafe), { code: "DATABASE_ROLE_UNSAFE" });
      const first = await hubs.start();
      assert.equal(first.process.ready.database, "external");

      const agent = hubs.ada.agent(first);
      const requestId = await ask(agent, PUT, { object: moduleNamed("approved") });
      await hubs.ada.decide(first, requestId);
      assert.equal((await settledRequest(agent, requestId)).state, "executed");

      const git = new GitopsFixture(hubs, first);
      const repository = await git.repository("shop");
      await git.settle(repository);
      assert.equal((await git.live("Assignment", "shop-prod"))?.version, 1);
      const inUse = { kind: "Module", name: "shop-base", expectedVersion: 1 };
      await assert.rejects(hubs.ada.run(first, "system_fleet_delete_object", inUse), { code: "IN_USE" });
      await assert.rejects(server.query("delete from fleet_object where name = 'shop-base'"), {
        code: RESTRICTED[version],
      });
      await verifies(hubs, first);
      assert.equal(await first.stop(), 0, first.log());

      const second = await hubs.start();
      assert.equal(second.process.ready.created, false);
      const { output } = await hubs.ada
        .agent(second)
        .done("system_fleet_get_object", { kind: "Module", name: "approved" });
      assert.ok(output["object"]);
      await verifies(hubs, second);
      assert.equal(await second.stop(), 0, second.log());
    });
  });

/** Does as an administrator is told who gave the hub their own login; answers with what it is told to start the hub with. */
async function followRefusal(server: ExternalPostgres): Promise<Logins> {
  const url = urlOf(server.admin);
  const place = { dataDir: "/nonexistent", databaseUrl: url, migrationUrl: url };
  const refusal = await openDatabase(place).catch((error: unknown) => error);
  assert.ok(refusal instanceof HubError);
  assert.equal(refusal.code, "DATABASE_ROLE_UNSAFE");
  const password = randomBytes(24).toString("base64url");
  const { commands } = refusal.details as { commands: string[] };
  for (const command of commands) {
    const role = /^\\password (\w+)$/.exec(command)?.[1]; // psql's own, which asks for it
    await server.query(role === undefined ? command : `alter role ${role} password '${password}'`);
  }
  return { owner: server.login("countersign_owner", password), runtime: server.login("countersign_hub", password) };
}

async function verifies(hubs: TestHubs, hub: TestHub): Promise<void> {
  const { output } = await hubs.ada.operator(hub).done("system_journal_verify");
  assert.equal(output["ok"], true, JSON.stringify(output));
}
