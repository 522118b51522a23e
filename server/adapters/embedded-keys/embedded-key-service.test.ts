import assert from "node:assert/strict";
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyToDer } from "../../../contracts/formats/ed25519.ts";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { HubError } from "../../errors.ts";
import { EmbeddedKeyService } from "./embedded-key-service.ts";
import { FakeKeyStore, type KeyRow } from "./fake-key-store.ts";
import { FIRST_RULES } from "./key-store.ts";
import { FRESH_MS } from "./open-keys.ts";

const newRootKey = () => createSecretKey(randomBytes(32));

keyServiceContract("embedded, in memory", async () => {
  const [rootKey, table] = [newRootKey(), new FakeKeyStore()];
  return {
    open: () => new EmbeddedKeyService(rootKey, table),
    accounts: [v7(), v7()],
    async [Symbol.asyncDispose]() {},
  };
});

/** An account with all keys, the table they are in, and something encrypted and signed. */
async function furnished() {
  const [rootKey, table, account] = [newRootKey(), new FakeKeyStore(), v7()];
  const service = new EmbeddedKeyService(rootKey, table);
  for (const keyName of ["root", "data", "mac"] as const) await service.create(account, keyName);
  const message = Buffer.from("message");
  const ciphertext = await service.encrypt(account, "data", message);
  const reopened = (key: KeyObject = rootKey) => new EmbeddedKeyService(key, table);
  return { rootKey, table, account, service, message, ciphertext, reopened };
}

const unreachable = { code: "KEY_SERVICE_UNREACHABLE" };

suite("stored keys", () => {
  test("are no secrets in the clear", async () => {
    const { table } = await furnished();
    for (const { keyName, wrapped, publicKey } of table.rows) {
      // nonce and tag around 32 bytes, or around the 48 of an Ed25519 key in PKCS #8
      assert.equal(wrapped.length, 12 + (keyName === "root" ? 48 : 32) + 16);
      assert.equal(publicKey !== null, keyName === "root");
      assert.ok(!wrapped.includes(Buffer.from("302e020100300506032b6570", "hex")));
    }
  });

  test("do not open with a foreign root key, and say what to do", async () => {
    const { account, ciphertext, message, reopened } = await furnished();
    const foreign = reopened(newRootKey());
    await assert.rejects(foreign.decrypt(account, "data", ciphertext), (error: HubError) => {
      assert.equal(error.code, "KEY_SERVICE_UNREACHABLE");
      return /root key file/.test(error.message);
    });
    await assert.rejects(foreign.sign(account, "root", message), unreachable);
    await assert.rejects(foreign.hmac(account, "mac", message), unreachable);
    assert.deepEqual(await reopened().decrypt(account, "data", ciphertext), message);
  });

  const tampering: Record<string, (rows: KeyRow[], account: string) => void> = {
    "copied to another account": (rows) => {
      for (const row of rows) row.accountId = "0192d000-0000-7000-8000-000000000001";
    },
    "of another version number": (rows) => {
      for (const row of rows) Object.assign(row, { version: 2 });
    },
    "with a flipped bit": (rows) => {
      for (const row of rows) row.wrapped[20] = (row.wrapped[20] as number) ^ 1;
    },
    "cut short": (rows) => {
      for (const row of rows) Object.assign(row, { wrapped: row.wrapped.subarray(0, 20) });
    },
    "of another type": (rows) => {
      for (const row of rows)
        Object.assign(row, { type: row.type === "hmac" ? "aes256-gcm96" : "hmac", publicKey: null });
    },
    "under another name": (rows) => {
      for (const row of rows) row.keyName = row.keyName === "root" ? "data" : "root";
    },
  };
  for (const [name, tamper] of Object.entries(tampering)) {
    test(`${name} do not open`, async () => {
      const { table, reopened, account } = await furnished();
      const untouched = structuredClone(table.rows);
      tamper(table.rows, account);
      for (const { accountId, keyName } of table.rows) {
        await assert.rejects(reopened().metadata(accountId, keyName), unreachable);
      }
      table.rows = untouched.map((row) => ({
        ...row,
        wrapped: Buffer.from(row.wrapped),
        publicKey: row.publicKey && Buffer.from(row.publicKey),
      }));
      for (const { accountId, keyName } of table.rows)
        assert.equal((await reopened().metadata(accountId, keyName)).latestVersion, 1);
    });
  }

  test("with the public key of somebody else, or none, do not open", async () => {
    const { table, reopened, account, message } = await furnished();
    const row = table.rows.find(({ keyName }) => keyName === "root") as KeyRow;
    const own = row.publicKey;
    for (const publicKey of [publicKeyToDer(generateKeyPair().publicKey), null]) {
      Object.assign(row, { publicKey });
      await assert.rejects(reopened().sign(account, "root", message), unreachable);
    }
    Object.assign(row, { publicKey: own });
    assert.equal((await reopened().sign(account, "root", message)).version, 1);
  });
});

suite("versions", () => {
  test("made by another process are found when something names them", async () => {
    const { account, service, message, ciphertext, reopened } = await furnished();
    const other = reopened();
    for (const keyName of ["root", "data", "mac"]) await other.rotate(account, keyName);
    const second = await other.encrypt(account, "data", message);
    const signed = await other.sign(account, "root", message);
    assert.match(second, /^vault:v2:/);
    assert.equal(signed.version, 2);
    assert.deepEqual(await service.decrypt(account, "data", second), message);
    assert.ok(await service.verify(account, "root", message, signed));
    assert.ok(!(await service.verify(account, "root", message, { ...signed, version: 1 })));
    assert.deepEqual(await service.hmac(account, "mac", message, 2), await other.hmac(account, "mac", message));
    assert.deepEqual(await other.decrypt(account, "data", ciphertext), message);
    await assert.rejects(other.decrypt(account, "data", second.replace("v2", "v3")), { code: "CIPHERTEXT_INVALID" });
  });

  test("and rules that another process changed are in use within a second", async () => {
    const [rootKey, table, account] = [newRootKey(), new FakeKeyStore(), v7()];
    let now = 0;
    const service = new EmbeddedKeyService(rootKey, table, () => now);
    const other = new EmbeddedKeyService(rootKey, table);
    await service.create(account, "data");
    const old = await service.encrypt(account, "data", Buffer.from("x"));
    await other.rotate(account, "data");
    await other.configure(account, "data", { minDecryptionVersion: 2 });
    now = FRESH_MS;
    assert.match(await service.encrypt(account, "data", Buffer.from("x")), /^vault:v2:/);
    await assert.rejects(service.decrypt(account, "data", old), { code: "KEY_VERSION_TOO_OLD" });
    await other.configure(account, "data", { deletionAllowed: true });
    await other.delete(account, "data");
    now = 2 * FRESH_MS;
    await assert.rejects(service.encrypt(account, "data", Buffer.from("x")), { code: "KEY_NOT_FOUND" });
  });

  test("of rotations that run at once are one after the other", async () => {
    const { account, table, reopened } = await furnished();
    await Promise.all(Array.from({ length: 5 }, () => reopened().rotate(account, "data")));
    const versions = table.rows.filter(({ keyName }) => keyName === "data").map(({ version }) => version);
    assert.deepEqual(versions, [1, 2, 3, 4, 5, 6]);
  });

  test("of a key that is said to be derived, or not, against the truth do not open", async () => {
    const { account, table, reopened } = await furnished();
    table.rules.set(`${account}/data`, { ...FIRST_RULES, derived: true });
    await assert.rejects(reopened().metadata(account, "data"), unreachable);
    table.rules.set(`${account}/data`, FIRST_RULES);
    await reopened().metadata(account, "data");
  });
});

suite("what is kept in memory", () => {
  test("is opened once, also by calls at the same time", async () => {
    const { table, account, reopened, ciphertext, message } = await furnished();
    const service = reopened();
    table.reads = 0;
    await Promise.all(Array.from({ length: 10 }, () => service.decrypt(account, "data", ciphertext)));
    await service.encrypt(account, "data", message);
    assert.equal(table.reads, 1);
  });

  test("is no failure: the next call tries again", async () => {
    const { table, account, reopened, ciphertext, message } = await furnished();
    const service = reopened();
    table.failure = new HubError("STORE_UNAVAILABLE", "The database does not answer.");
    await assert.rejects(service.decrypt(account, "data", ciphertext), { code: "STORE_UNAVAILABLE" });
    table.failure = undefined;
    assert.deepEqual(await service.decrypt(account, "data", ciphertext), message);
  });
});
