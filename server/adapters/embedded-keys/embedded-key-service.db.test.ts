import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { test } from "node:test";
import { v7 } from "uuid";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { HubError } from "../../errors.ts";
import { Database } from "../postgres/database.ts";
import { PostgresKeyStore } from "../postgres/key-store.ts";
import { type TestDatabase, testDatabase } from "../postgres/test-database.ts";
import { EmbeddedKeyService } from "./embedded-key-service.ts";
import { FIRST_RULES } from "./key-store.ts";
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

test("a row gives back what was put into it, oldest version first, and changes of a key wait for each other", async () => {
  await using db = await testDatabase();
  const [account, stranger] = [await addAccount(db), await addAccount(db)];
  const store = new PostgresKeyStore(db.database);
  const rootKey = createSecretKey(randomBytes(32));
  const make = (version: number) =>
    makeKeyVersion(rootKey, { accountId: account, keyName: "root", type: "ed25519", version, derived: false });
  const add = () =>
    store.change(account, "root", async (standing) => ({ add: make((standing?.versions.at(-1)?.version ?? 0) + 1) }));
  await Promise.all([add(), add(), add()]);
  const rules = { ...FIRST_RULES, minDecryptionVersion: 2, minEncryptionVersion: 3, deletionAllowed: true };
  await store.change(account, "root", async () => ({ rules: { ...rules, minAvailableVersion: 2 }, destroyBelow: 2 }));
  const key = await store.key(account, "root");
  assert.deepEqual(key?.rules, { ...rules, minAvailableVersion: 2 });
  assert.deepEqual(
    key?.versions.map(({ version }) => version),
    [2, 3],
  );
  assert.ok(key?.versions.every(({ createdAt, publicKey }) => createdAt instanceof Date && publicKey !== null));
  assert.equal(await store.key(stranger, "root"), undefined);
  assert.equal(await store.key(account, "data"), undefined);
  assert.deepEqual(await store.names(account), ["root"]);
  const failing = store.change(account, "root", async () => Promise.reject(new HubError("CONFLICT", "no")));
  await assert.rejects(failing, { code: "CONFLICT" });
  await store.change(account, "root", async () => ({ remove: true }));
  assert.equal(await store.key(account, "root"), undefined);
});

test("a row copied to another account does not open there", async () => {
  await using db = await testDatabase();
  const [account, stranger] = [await addAccount(db), await addAccount(db)];
  const store = new PostgresKeyStore(db.database);
  const service = new EmbeddedKeyService(createSecretKey(randomBytes(32)), store);
  await service.create(account, "data");
  const [row] = (await store.key(account, "data"))?.versions ?? [];
  await store.change(stranger, "data", async () => row && { add: row });
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
