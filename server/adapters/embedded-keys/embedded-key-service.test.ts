import assert from "node:assert/strict";
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import { v7 } from "uuid";
import { generateKeyPair, publicKeyToDer } from "../../../contracts/formats/ed25519.ts";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { KEY_TYPES, type KeyName } from "../../domain/keys/key-service.ts";
import { HubError } from "../../errors.ts";
import { EmbeddedKeyService } from "./embedded-key-service.ts";
import type { KeyStore, NewKeyVersion, StoredKeyVersion } from "./key-store.ts";
import { makeKeyVersion } from "./wrapped-key.ts";

/** Rows in memory that a test can change as somebody with write access to the table could. */
class KeyTable implements KeyStore {
  rows: (StoredKeyVersion & { accountId: string; keyName: KeyName })[] = [];
  reads = 0;
  failure: HubError | undefined;

  async insertVersion(accountId: string, keyName: KeyName, version: NewKeyVersion): Promise<boolean> {
    if (this.#of(accountId, keyName).some((row) => row.version === version.version)) return false;
    this.rows.push({ ...version, accountId, keyName, createdAt: new Date() });
    return true;
  }

  async versions(accountId: string, keyName: KeyName): Promise<StoredKeyVersion[]> {
    this.reads++;
    if (this.failure !== undefined) throw this.failure;
    return this.#of(accountId, keyName).sort((a, b) => a.version - b.version);
  }

  #of(accountId: string, keyName: KeyName) {
    return this.rows.filter((row) => row.accountId === accountId && row.keyName === keyName);
  }
}

const newRootKey = () => createSecretKey(randomBytes(32));

keyServiceContract("embedded, in memory", async () => {
  const [rootKey, table] = [newRootKey(), new KeyTable()];
  return {
    open: () => new EmbeddedKeyService(rootKey, table),
    accounts: [v7(), v7()],
    async [Symbol.asyncDispose]() {},
  };
});

/** An account with all keys, the table they are in, and something encrypted and signed. */
async function furnished() {
  const [rootKey, table, account] = [newRootKey(), new KeyTable(), v7()];
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

  type Row = KeyTable["rows"][number];
  const tampering: Record<string, (rows: Row[], account: string) => void> = {
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
    const row = table.rows.find(({ keyName }) => keyName === "root") as Row;
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
  /** Adds what a rotation adds: one more version. */
  async function addVersion(rootKey: KeyObject, table: KeyTable, account: string, keyName: KeyName, version: number) {
    assert.ok(
      await table.insertVersion(
        account,
        keyName,
        makeKeyVersion(rootKey, account, keyName, KEY_TYPES[keyName], version),
      ),
    );
  }

  test("made by another process are found when something names them", async () => {
    const { rootKey, table, account, service, message, ciphertext, reopened } = await furnished();
    for (const keyName of ["root", "data", "mac"] as const) await addVersion(rootKey, table, account, keyName, 2);
    const other = reopened();
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
    assert.deepEqual(
      (await service.metadata(account, "data")).versions.map(({ version }) => version),
      [1, 2],
    );
  });

  test("that are gone are too old", async () => {
    const { rootKey, table, account, message, ciphertext, reopened } = await furnished();
    const { mac } = await reopened().hmac(account, "mac", message);
    for (const keyName of ["data", "mac"] as const) await addVersion(rootKey, table, account, keyName, 2);
    const all = table.rows;
    assert.deepEqual(await reopened().decrypt(account, "data", ciphertext), message);
    assert.deepEqual((await reopened().hmac(account, "mac", message, 1)).mac, mac);
    table.rows = all.filter(({ version }) => version === 2);
    const tooOld = { code: "KEY_VERSION_TOO_OLD" };
    await assert.rejects(reopened().decrypt(account, "data", ciphertext), tooOld);
    await assert.rejects(reopened().hmac(account, "mac", message, 1), tooOld);
    // creating the key again does not bring the first version back
    await reopened().create(account, "data");
    assert.deepEqual(
      (await reopened().metadata(account, "data")).versions.map(({ version }) => version),
      [2],
    );
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
