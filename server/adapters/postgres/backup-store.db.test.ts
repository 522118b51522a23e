import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { v7 } from "uuid";
import { backupRows } from "./backup-store.ts";
import { type TestDatabase, testDatabase } from "./test-database.ts";

const [hub, other, rotation] = [v7(), v7(), v7()];
const DIGEST = "ab".repeat(32);

let db: TestDatabase;
let superuser: pg.Pool;
before(async () => {
  db = await testDatabase();
  superuser = new pg.Pool({ ...db.superuser, max: 1 });
  superuser.on("error", () => {});
  await superuser.query(
    "insert into account (id, name, profile, is_hub, transit_key_version) values ($1, 'hub', 'solo', true, 2), ($2, 'other', 'solo', false, 3)",
    [hub, other],
  );
  await superuser.query(
    `insert into principal (account_id, id, kind, name, roles) values ($1, $2, 'service', 'hub', '{hub}')`,
    [hub, hub],
  );
  for (const account of [hub, other])
    await superuser.query(
      `insert into key_walk (account_id, rotation_id, fence, state, from_version, to_version, recorded_at)
       values ($1, $2, 1, 'done', 3, 4, now())`,
      [account, rotation],
    );
});
after(async () => {
  await superuser.end();
  await db[Symbol.asyncDispose]();
});

const keysOf = async (id: string) =>
  (await superuser.query("select account_id, lowest_version from backup_key where backup_id = $1 order by 2", [id]))
    .rows;

const standInTheWay = async () => {
  const { rows } = await db.database.read(hub, (session) =>
    session.query<{ backups: string }>("select backups from hub_keys_in_use($1)", [rotation]),
  );
  return Number(rows[0]?.backups);
};

const begin = (id: string) =>
  db.database.transact(hub, (session) => backupRows(session).begin(hub, { id, fileName: "hub.age" }));

test("versions that a backup holds are in use until it is retired", async () => {
  const id = v7();
  assert.equal(await standInTheWay(), 0);
  await begin(id);
  assert.deepEqual(await keysOf(id), [
    { account_id: hub, lowest_version: 2 },
    { account_id: other, lowest_version: 3 },
  ]);
  assert.equal(await standInTheWay(), 1, "also while it is being written");
  const written = { at: new Date(), bytes: 7, records: 3, digest: DIGEST };
  await db.database.transact(hub, (session) =>
    backupRows(session).finish(id, { ...written, keyVersions: new Map([[other, 3]]) }),
  );
  assert.deepEqual(await keysOf(id), [{ account_id: other, lowest_version: 3 }], "what it really holds");
  assert.equal(await standInTheWay(), 1);
  const row = await db.database.read(hub, (session) => backupRows(session).byId(id));
  assert.deepEqual([row?.finished?.bytes, row?.finished?.digest, row?.accounts], [7, DIGEST, 1]);
  const retire = () =>
    db.database.transact(hub, (session) => backupRows(session).retire(id, { by: hub, at: new Date() }));
  assert.equal(await retire(), true);
  assert.equal(await retire(), false);
  assert.equal(await standInTheWay(), 0);
});

test("one that is under the new version stands in nobody's way", async () => {
  const id = v7();
  await begin(id);
  await db.database.transact(hub, (session) =>
    backupRows(session).finish(id, {
      ...{ at: new Date(), bytes: 1, records: 1, digest: DIGEST },
      keyVersions: new Map([[other, 4]]),
    }),
  );
  assert.equal(await standInTheWay(), 0);
});

test("what is finished is not measured again, and other accounts have no hand in it", async () => {
  const id = v7();
  await begin(id);
  const measured = (account: string) =>
    db.database.transact(account, (session) => session.query("select hub_backup_measured($1, '{}', '{}')", [id]));
  await measured(other);
  assert.equal((await keysOf(id)).length, 2);
  const seen = await db.database.read(other, (session) => backupRows(session).list({ limit: 10 }));
  assert.deepEqual(seen.items, []);
  await db.database.transact(hub, (session) =>
    backupRows(session).finish(id, {
      ...{ at: new Date(), bytes: 1, records: 1, digest: DIGEST },
      keyVersions: new Map([[hub, 2]]),
    }),
  );
  await measured(hub);
  assert.equal((await keysOf(id)).length, 1);
  await assert.rejects(
    db.database.transact(hub, (session) => session.query("delete from backup where id = $1", [id])),
    { code: "42501" },
  );
  await assert.rejects(
    db.database.transact(hub, (session) => session.query("delete from backup_key where backup_id = $1", [id])),
    { code: "42501" },
  );
});

test("they are listed page by page, newest first", async () => {
  const list = (cursor?: string) =>
    db.database.read(hub, (session) => backupRows(session).list({ limit: 2, ...(cursor !== undefined && { cursor }) }));
  const first = await list();
  assert.equal(first.items.length, 2);
  const second = await list(first.next);
  assert.equal(second.next, undefined);
  const ids = [...first.items, ...second.items].map(({ id }) => id);
  assert.deepEqual(ids, ids.toSorted().reverse());
});

test("what is read holds more than was in use before, where something was stored meanwhile", async () => {
  const id = v7();
  await begin(id);
  const made = v7();
  await superuser.query(
    "insert into account (id, name, profile, is_hub) values ($1, 'made meanwhile', 'solo', false)",
    [made],
  );
  await db.database.transact(hub, (session) =>
    backupRows(session).finish(id, {
      ...{ at: new Date(), bytes: 1, records: 1, digest: DIGEST },
      keyVersions: new Map([
        [made, 1],
        [hub, 1],
      ]),
    }),
  );
  const held = new Map((await keysOf(id)).map(({ account_id, lowest_version }) => [account_id, lowest_version]));
  assert.deepEqual([held.get(made), held.get(hub), held.size], [1, 1, 2]);
});
