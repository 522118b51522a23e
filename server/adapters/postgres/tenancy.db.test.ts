/**
 * Tenants never meet, by raw SQL under the runtime role: for every table of the database that has an `account_id`, and
 * for `account` itself. The tables come from the catalogue, so that a new one is proven without being named here.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import { fillRow, loosenTables, type TenantTable, tenantTables } from "./tenancy.fixture.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

const [ours, theirs, nobody] = [v7(), v7(), v7()];

/** Who asks, as the setting `app.account_id`. */
const STRANGERS = [
  { who: "a session without an account", setting: undefined },
  { who: "a connection whose transaction ended", setting: "" },
  { who: "another account", setting: theirs },
  { who: "an account that is not there", setting: nobody },
] as const;

const refused = { code: "42501" };

describe("every tenant table", async () => {
  const db: TestDatabase = await testDatabase();
  const superuser = new pg.Client(db.superuser);
  const runtime = new pg.Client(db.runtime);
  await Promise.all([superuser.connect(), runtime.connect()]);
  const tables = await tenantTables(superuser);
  before(async () => {
    await loosenTables(superuser, tables);
    for (const table of tables) for (const account of [ours, theirs]) await fillRow(superuser, table, account);
  });
  after(async () => {
    await Promise.all([superuser.end(), runtime.end()]);
    await db[Symbol.asyncDispose]();
  });

  /** One statement as the runtime role, undone afterwards. */
  async function attempt(setting: string | undefined, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    await runtime.query("begin");
    try {
      if (setting !== undefined) await runtime.query("select set_config('app.account_id', $1, true)", [setting]);
      return await runtime.query(text, values);
    } finally {
      await runtime.query("rollback");
    }
  }

  const rowsOf = async ({ name, account }: TenantTable, id: string) => {
    const text = `select to_jsonb(t) as row from ${name} t where ${account} = $1`;
    return (await superuser.query<{ row: unknown }>(text, [id])).rows;
  };

  /** Nothing is touched: because nothing is seen, or because the role may not do it at all. */
  async function touchesNothing(setting: string | undefined, allowed: boolean, text: string): Promise<void> {
    if (allowed) assert.equal((await attempt(setting, text)).rowCount, 0);
    else await assert.rejects(attempt(setting, text), refused);
  }

  it("is found in the catalogue", () => {
    const names = tables.map(({ name }) => name);
    for (const expected of ["account", "principal", "receipt", "fleet_object"]) assert.ok(names.includes(expected));
  });

  for (const table of tables) {
    const { name, account, may, updatable } = table;

    describe(name, () => {
      it("is under forced row-level security", () => {
        assert.deepEqual({ enabled: table.enabled, forced: table.forced }, { enabled: true, forced: true });
      });

      for (const { who, setting } of STRANGERS) {
        it(`shows and gives nothing to ${who}`, async () => {
          const before = await rowsOf(table, ours);
          const foreign = `where ${account} = '${ours}'`;
          await touchesNothing(setting, may.select, `select * from ${name} ${foreign}`);
          await touchesNothing(setting, may.delete, `delete from ${name} ${foreign}`);
          for (const column of updatable) {
            await touchesNothing(setting, may.select, `update ${name} set ${column} = ${column} ${foreign}`);
          }
          // a statement that reads no column is judged by fewer policies
          const blind = setting === theirs ? [] : updatable.map((column) => `update ${name} set ${column} = null`);
          for (const text of blind) assert.equal((await attempt(setting, text)).rowCount, 0);
          if (may.delete && setting !== theirs)
            assert.equal((await attempt(setting, `delete from ${name}`)).rowCount, 0);
          const [first] = before;
          const written = table.columns.map((column) => pg.escapeIdentifier(column.name)).join(", ");
          const copy = `insert into ${name} (${written}) overriding system value select ${written} from jsonb_populate_record(null::${name}, $1)`;
          await assert.rejects(attempt(setting, copy, [first?.row]), refused);
          await assert.rejects(attempt(setting, `truncate ${name}`), refused);
          assert.deepEqual(await rowsOf(table, ours), before);
        });
      }

      it("gives its rows to their own account, and no others", async () => {
        const { rows } = await attempt(ours, `select ${account} as id from ${name}`);
        assert.deepEqual(rows, [{ id: ours }]);
        if (may.delete) assert.equal((await attempt(ours, `delete from ${name}`)).rowCount, 1);
        for (const column of updatable) {
          assert.equal((await attempt(ours, `update ${name} set ${column} = ${column}`)).rowCount, 1);
        }
      });

      it("takes rows for the account at work alone", async () => {
        const row = await fillRow(superuser, table, nobody);
        await superuser.query(`delete from ${name} where ${account} = $1`, [nobody]);
        const columns = Object.keys(row).map(pg.escapeIdentifier).join(", ");
        const text = `insert into ${name} (${columns}) select ${columns} from jsonb_populate_record(null::${name}, $1)`;
        if (may.insert) assert.equal((await attempt(nobody, text, [row])).rowCount, 1);
        await assert.rejects(attempt(ours, text, [row]), refused);
        const moving = `update ${name} set ${account} = '${theirs}'`;
        await assert.rejects(attempt(ours, moving), refused);
      });
    });
  }

  it("stays guarded whatever the runtime role tries", async () => {
    for (const text of [
      "set local role countersign_owner",
      "set local session authorization countersign_owner",
      "set local row_security = off; select from account",
      "alter table account disable row level security",
      "drop policy tenant on account",
      "create policy all_of_it on account using (true)",
      "alter function hub_account() owner to countersign_hub",
      "grant countersign_owner to countersign_hub",
      "create function public.mine() returns void language sql as ''",
      "copy account to program 'true'",
      "call make_tenant('account', 'id')",
    ]) {
      await assert.rejects(attempt(ours, text), refused, text);
    }
  });
});
