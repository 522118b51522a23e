import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { applyGrants } from "./grants.ts";
import { emptyDatabase } from "./test-database.ts";

const TABLES = `
  create table tenant (id serial primary key, state text);
  alter table tenant enable row level security;
  alter table tenant force row level security;
  create table half (id integer);
  alter table half enable row level security;
  create table log (id integer, note text);
  create table other (id integer);
  create table _prisma_migrations (id integer);
  create table hub_setup (id integer);
  grant all on other to public;
  create function hub_ask() returns integer language sql security definer as 'select 1';
  create function trick() returns integer language sql security definer as 'select 2';
  create procedure hub_do() language sql as '';`;
const RUNTIME = "countersign_hub";
const HELD = `select c.relname as name, array(select p from unnest(array['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p
    where has_table_privilege($1, c.oid, p)) as may
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`;

describe("applyGrants", () => {
  let db: Awaited<ReturnType<typeof emptyDatabase>>;
  let owner: pg.Client;
  before(async () => {
    db = await emptyDatabase();
    owner = new pg.Client(db.owner);
    await owner.connect();
    await owner.query(TABLES);
  });
  after(async () => {
    await owner.end();
    await db[Symbol.asyncDispose]();
  });

  const held = async () => {
    const { rows } = await owner.query<{ name: string; may: string[] }>(HELD, [RUNTIME]);
    return Object.fromEntries(rows.map(({ name, may }) => [name, may.join(" ").toLowerCase()]));
  };

  it("gives tenant tables the usual, named ones what they say, and others nothing", async () => {
    await applyGrants(owner, RUNTIME, { log: ["select", "insert", "update (note)"] });
    assert.deepEqual(await held(), {
      _prisma_migrations: "select",
      half: "", // its owner would not be bound
      hub_setup: "select",
      log: "select insert",
      other: "",
      tenant: "select insert update delete",
    });
    const { rows } = await owner.query(
      "select has_column_privilege($1, 'log', 'note', 'update') as note, has_column_privilege($1, 'log', 'id', 'update') as id",
      [RUNTIME],
    );
    assert.deepEqual(rows, [{ note: true, id: false }]);
  });

  it("takes back what was given before", async () => {
    await applyGrants(owner, RUNTIME, { tenant: ["select"], log: ["select"] });
    const now = await held();
    assert.equal(now.tenant, "select");
    assert.equal(now.log, "select");
    await applyGrants(owner, RUNTIME, {});
    assert.equal((await held()).tenant, "select insert update delete");
  });

  it("lets functions hub_* be called, and no others", async () => {
    await applyGrants(owner, RUNTIME, {});
    const hub = new pg.Client(db.runtime);
    await hub.connect();
    assert.deepEqual((await hub.query("select hub_ask()")).rows, [{ hub_ask: 1 }]);
    await hub.query("call hub_do()");
    await assert.rejects(hub.query("select trick()"), { code: "42501" });
    await assert.rejects(hub.query("create table mine (id integer)"), { code: "42501" });
    await hub.query("insert into tenant default values").catch((error) => assert.match(error.message, /row-level/));
    await hub.end();
  });

  it("refuses privileges on a table that is not there", async () => {
    await assert.rejects(applyGrants(owner, RUNTIME, { tennant: ["select"] }), /tennant/);
  });
});
