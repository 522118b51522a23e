import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { HubError } from "../../errors.ts";
import { checkRuntimeRole } from "./runtime-role.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

// roles are the whole server's, which other tests share: these have names and an end of their own
const mark = randomBytes(4).toString("hex");
const name = (role: string) => `test_${role}_${mark}`;

describe("checkRuntimeRole", () => {
  let db: TestDatabase;
  let admin: pg.Client;
  const made: string[] = [];
  before(async () => {
    db = await testDatabase();
    admin = new pg.Client(db.superuser);
    await admin.connect();
  });
  after(async () => {
    for (const role of made) await admin.query(`drop owned by ${role}; drop role ${role}`);
    await admin.end();
    await db[Symbol.asyncDispose]();
  });

  async function role(of: string, attributes = ""): Promise<string> {
    await admin.query(`create role ${name(of)} login password 'x' ${attributes}`);
    await admin.query(`grant connect on database "${db.owner.database}" to ${name(of)}`);
    made.push(name(of));
    return name(of);
  }

  async function check(user: string, ownerRole = "countersign_owner"): Promise<HubError | undefined> {
    const client = new pg.Client({ ...db.owner, user, password: "x" });
    await client.connect();
    try {
      await checkRuntimeRole(client, ownerRole);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof HubError);
      assert.equal(error.code, "DATABASE_ROLE_UNSAFE");
      return error;
    } finally {
      await client.end();
    }
  }

  const faults = async (user: string, ownerRole?: string) => (await check(user, ownerRole))?.details?.faults;

  it("accepts a role that owns nothing and may become nobody", async () => {
    assert.equal(await check(await role("plain")), undefined);
    const reader = await role("reader");
    await admin.query(`grant pg_monitor to ${reader}`);
    assert.equal(await check(reader), undefined);
  });

  it("refuses superusers and roles with attributes that reach around row-level security", async () => {
    assert.deepEqual(await faults(await role("super", "superuser")), ["is a superuser"]);
    assert.deepEqual(await faults(await role("bypass", "bypassrls")), ["has BYPASSRLS"]);
    assert.deepEqual(await faults(await role("roles", "createrole")), ["has CREATEROLE"]);
    assert.deepEqual(await faults(await role("replica", "replication")), ["has REPLICATION"]);
  });

  it("refuses the role of the migration URL, and one that could become it", async () => {
    const owner = await role("owner");
    assert.deepEqual(await faults(owner, owner), ["is also the role of COUNTERSIGN_MIGRATION_URL"]);
    for (const how of ["", "with inherit false", "with set false"]) {
      const member = await role(`member_${made.length}`);
      await admin.query(`grant countersign_owner to ${member} ${how}`);
      // also where no migration URL says who the owner is
      for (const known of ["countersign_owner", ""]) {
        assert.deepEqual(await faults(member, known), ['is a member of "countersign_owner"']);
      }
    }
  });

  it("refuses a member of a role that gets out of the database", async () => {
    const member = await role("programs");
    await admin.query(`grant pg_execute_server_program to ${member}`);
    assert.deepEqual(await faults(member), ['is a member of "pg_execute_server_program"']);
  });

  it("refuses an owner of the hub's tables, functions or database", async () => {
    const keeper = await role("keeper");
    await admin.query(`create table public.loot (id integer); alter table public.loot owner to ${keeper}`);
    assert.deepEqual(await faults(keeper), ["owns tables of the hub"]);
    const author = await role("author");
    await admin.query(
      `create function public.spell() returns void language sql as ''; alter function spell() owner to ${author}`,
    );
    assert.deepEqual(await faults(author), ["owns tables of the hub"]);
    const landlord = await role("landlord");
    await admin.query(`alter database "${db.owner.database}" owner to ${landlord}`);
    assert.deepEqual(await faults(landlord), ["owns the database"]);
    await admin.query(`alter database "${db.owner.database}" owner to countersign_owner`);
  });

  it("tells the commands and the two URLs, without a password", async () => {
    const error = await check(await role("alone", "superuser"));
    const message = error?.message ?? "";
    assert.match(message, /DATABASE_URL=postgres:\/\/countersign_hub:<its password>@\S+\/test_/);
    assert.match(message, /COUNTERSIGN_MIGRATION_URL=postgres:\/\/countersign_owner:<its password>@/);
    // both are there on this server: what is left is to narrow the one and to hand the database to the other
    const commands = error?.details?.commands as string[];
    await admin.query(commands.join("\n"));
    assert.ok(commands.every((command) => message.includes(command)));
    const hub = new pg.Client(db.runtime);
    await hub.connect();
    await checkRuntimeRole(hub, "countersign_owner").finally(() => hub.end());
  });
});
