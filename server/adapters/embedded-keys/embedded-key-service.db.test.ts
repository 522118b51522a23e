import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { Database } from "../postgres/database.ts";
import { PostgresKeyStore } from "../postgres/key-store.ts";
import { type TestDatabase, testDatabase } from "../postgres/test-database.ts";
import { EmbeddedKeyService } from "./embedded-key-service.ts";
import { makeKeyVersion } from "./wrapped-key.ts";

async function addAccount({ database }: TestDatabase): Promise<string> {
  const id = v7();
  await database.transact(id, (session) =>
    session.query("insert into account (id, name, profile) values ($1, 'test', 'solo')", [id]),
  );
  return id;
}

keyServiceContract("embedded, in Postgres", async () => {
  const db = await testDatabase();
  const rootKey = createSecretKey(randomBytes(32));
  return {
    open: () => new EmbeddedKeyService(rootKey, new PostgresKeyStore(db.database)),
    accounts: [await addAccount(db), await addAccount(db)],
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
});

test("a row gives back what was put into it, oldest version first, and each version once", async () => {
  await using db = await testDatabase();
  const [account, stranger] = [await addAccount(db), await addAccount(db)];
  const store = new PostgresKeyStore(db.database);
  const made = [2, 1].map((version) =>
    makeKeyVersion(createSecretKey(randomBytes(32)), account, "root", "ed25519", version),
  );
  for (const version of made) assert.equal(await store.insertVersion(account, "root", version), true);
  assert.equal(
    await store.insertVersion(account, "root", { ...made[0], wrapped: Buffer.alloc(1) } as (typeof made)[0]),
    false,
  );
  const rows = await store.versions(account, "root");
  assert.deepEqual(
    rows.map(({ version, type, wrapped, publicKey }) => ({ version, type, wrapped, publicKey })),
    made.toReversed(),
  );
  assert.ok(rows.every(({ createdAt }) => createdAt instanceof Date));
  assert.deepEqual(await store.versions(stranger, "root"), []);
  assert.deepEqual(await store.versions(account, "data"), []);
});

test("a row copied to another account does not open there", async () => {
  await using db = await testDatabase();
  const [account, stranger] = [await addAccount(db), await addAccount(db)];
  const store = new PostgresKeyStore(db.database);
  const rootKey = createSecretKey(randomBytes(32));
  const service = new EmbeddedKeyService(rootKey, store);
  await service.create(account, "data");
  for (const row of await store.versions(account, "data")) await store.insertVersion(stranger, "data", row);
  await assert.rejects(service.encrypt(stranger, "data", Buffer.from("x")), { code: "KEY_SERVICE_UNREACHABLE" });
  assert.match(await service.encrypt(account, "data", Buffer.from("x")), /^vault:v1:/);
});

test("a database that does not answer is told apart from a key that is not there", async () => {
  await using db = await testDatabase();
  const account = await addAccount(db);
  const gone = new Database(db.runtime);
  const service = new EmbeddedKeyService(createSecretKey(randomBytes(32)), new PostgresKeyStore(gone));
  await assert.rejects(service.encrypt(account, "data", Buffer.from("x")), { code: "KEY_NOT_FOUND" });
  await gone.close();
  await assert.rejects(service.encrypt(account, "data", Buffer.from("x")), { code: "STORE_UNAVAILABLE" });
});
