import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { type EmbeddedPostgres, joinEmbeddedPostgres, stopEmbeddedPostgres } from "./embedded-postgres.ts";
import { prepareEmbeddedRoles } from "./embedded-roles.ts";
import { checkRuntimeRole } from "./runtime-role.ts";

describe("prepareEmbeddedRoles", () => {
  const scratch = mkdtempSync(join(tmpdir(), "countersign-roles-"));
  let embedded: EmbeddedPostgres;
  before(async () => {
    embedded = await joinEmbeddedPostgres(scratch, { settings: { fsync: "off" } });
  });
  after(async () => {
    await embedded.release();
    await stopEmbeddedPostgres(scratch);
    rmSync(scratch, { recursive: true });
  });

  async function as<T>(config: pg.ClientConfig, fn: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client(config);
    await client.connect();
    return fn(client).finally(() => client.end());
  }

  it("makes two roles and the database, whoever else is at it", async () => {
    const all = await Promise.all([1, 2, 3].map(() => prepareEmbeddedRoles(embedded.superuser, embedded.home)));
    assert.equal(new Set(all.map((logins) => JSON.stringify(logins))).size, 1);
    const [{ owner, runtime }] = all as [(typeof all)[0]];
    const { rows } = await as(owner, (client) =>
      client.query("select current_user::text as role, current_database()::text as database"),
    );
    assert.deepEqual(rows, [{ role: "countersign_owner", database: "countersign" }]);
    await as(runtime, (client) => checkRuntimeRole(client, "countersign_owner"));
  });

  it("keeps the passwords in files that only this user reads", async () => {
    await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    const files = readdirSync(embedded.home).filter((name) => name.endsWith(".password"));
    assert.deepEqual(files.sort(), ["countersign_hub.password", "countersign_owner.password"]);
    for (const file of files) assert.equal(statSync(join(embedded.home, file)).mode & 0o777, 0o600);
  });

  it("takes back what the runtime role was given since", async () => {
    const { runtime } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    await as(embedded.superuser, (client) => client.query("alter role countersign_hub bypassrls createrole"));
    await as(runtime, (client) => assert.rejects(checkRuntimeRole(client), { code: "DATABASE_ROLE_UNSAFE" }));
    await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    await as(runtime, (client) => checkRuntimeRole(client));
  });

  it("gives a role whose password was lost a new one", async () => {
    const before = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    rmSync(join(embedded.home, "countersign_hub.password"));
    const { runtime } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    assert.notEqual(runtime.password, before.runtime.password);
    await as(runtime, (client) => client.query("select 1"));
    await assert.rejects(
      as(before.runtime, (client) => client.query("select 1")),
      { code: "28P01" },
    );
  });

  it("lets nobody but the two roles into the database", async () => {
    const { owner } = await prepareEmbeddedRoles(embedded.superuser, embedded.home);
    await as(embedded.superuser, (client) => client.query("create role stranger login password 'x'"));
    const stranger = { ...owner, user: "stranger", password: "x" };
    await assert.rejects(
      as(stranger, (client) => client.query("select 1")),
      { code: "42501" },
    );
    await as({ ...stranger, database: "postgres" }, (client) => client.query("select 1"));
  });
});
