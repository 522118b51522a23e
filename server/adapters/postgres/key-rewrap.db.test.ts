import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import { EmbeddedKeyService } from "../embedded-keys/embedded-key-service.ts";
import type { RootKeys } from "../embedded-keys/root-keys.ts";
import { rewrapKeyVersion } from "../embedded-keys/wrapped-key.ts";
import { rewrapEveryKey } from "./key-rewrap.ts";
import { PostgresKeyStore } from "./key-store.ts";
import { testDatabase } from "./test-database.ts";

test("keys of all accounts are wrapped anew at once, and those that are made meanwhile are not missed", async () => {
  await using db = await testDatabase();
  const accounts = [v7(), v7(), v7()];
  for (const [index, id] of accounts.entries()) {
    await db.database.transact(id, (session) =>
      session.query("insert into account (id, name, profile, is_hub) values ($1, 'test', 'solo', $2)", [
        id,
        index === 0,
      ]),
    );
  }
  const [old, fresh] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))];
  const store = new PostgresKeyStore(db.database);
  // as the files say: the new key is there before anything is wrapped under it
  let next = old;
  const rootKeys: RootKeys = { newest: async () => next, known: [fresh, old] };
  const service = new EmbeddedKeyService(rootKeys, store);
  for (const account of accounts) {
    for (const name of ["root", "data"]) await service.create(account, name);
    await service.create(account, "derived", { type: "aes256-gcm96", derived: true });
  }
  const late = { started: Promise.resolve() };
  const count = await rewrapEveryKey(db.database, accounts[0] as string, (place, wrapped) => {
    // the lock is held: these wait for its end, and wrap under the new key then
    next = fresh;
    late.started = Promise.all(accounts.map((account) => service.create(account, "late", { type: "hmac" }))).then(
      () => {},
    );
    return rewrapKeyVersion(old, fresh, place, wrapped);
  });
  assert.equal(count, 9);
  await late.started;
  const alone = new EmbeddedKeyService(fresh, store);
  for (const account of accounts) {
    assert.deepEqual(await alone.list(account), ["data", "derived", "late", "root"]);
    for (const name of await alone.list(account)) await alone.metadata(account, name);
  }
});

test("nothing is wrapped anew where one fails", async () => {
  await using db = await testDatabase();
  const [one, other] = [v7(), v7()];
  const root = createSecretKey(randomBytes(32));
  const service = new EmbeddedKeyService(root, new PostgresKeyStore(db.database));
  for (const id of [one, other]) {
    await db.database.transact(id, (session) =>
      session.query("insert into account (id, name, profile, is_hub) values ($1, 'test', 'solo', $2)", [
        id,
        id === one,
      ]),
    );
    await service.create(id, "data");
  }
  let seen = 0;
  const failing = rewrapEveryKey(db.database, one, (place, wrapped) => {
    if (++seen === 2) throw new Error("cut off");
    return rewrapKeyVersion(root, createSecretKey(randomBytes(32)), place, wrapped);
  });
  await assert.rejects(failing, /cut off/);
  for (const id of [one, other])
    await new EmbeddedKeyService(root, new PostgresKeyStore(db.database)).metadata(id, "data");
});
