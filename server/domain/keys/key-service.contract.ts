import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { publicKeyFromDer, verify } from "../../../contracts/formats/ed25519.ts";
import { KEY_NAMES, KEY_TYPES, type KeyService } from "./key-service.ts";

export interface KeyServiceUnderTest extends AsyncDisposable {
  /** A service as one more hub process would open it: the same keys, nothing remembered. */
  open(): KeyService;
  /** Two accounts without keys. */
  readonly accounts: readonly [string, string];
}

const message = Buffer.from("a certificate for a process key");
const plaintext = Buffer.from("a body that a policy keeps");
const associatedData = Buffer.from("account 1, credential 2, version 3");

/** What every key service does, whoever keeps the keys. `make` gives a fresh one for each test. */
export function keyServiceContract(name: string, make: () => Promise<KeyServiceUnderTest>): void {
  suite(`${name}: keys`, () => {
    test("exist from their creation, with the type their name says", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      for (const keyName of KEY_NAMES) {
        await assert.rejects(service.metadata(account, keyName), { code: "KEY_NOT_FOUND" });
        await service.create(account, keyName);
        const metadata = await service.metadata(account, keyName);
        assert.equal(metadata.type, KEY_TYPES[keyName]);
        assert.equal(metadata.latestVersion, 1);
        assert.deepEqual(
          metadata.versions.map(({ version }) => version),
          [1],
        );
        assert.ok(metadata.versions.every(({ createdAt }) => createdAt instanceof Date));
        assert.equal(
          metadata.versions.some(({ publicKey }) => publicKey !== undefined),
          keyName === "root",
        );
      }
    });

    test("are made once, however often and by however many they are created", async () => {
      await using keys = await make();
      const [account] = keys.accounts;
      const services = Array.from({ length: 6 }, () => keys.open());
      for (const keyName of KEY_NAMES) await Promise.all(services.map((service) => service.create(account, keyName)));
      const [first, ...others] = services as [KeyService, ...KeyService[]];
      const signature = await first.sign(account, "root", message);
      const ciphertext = await first.encrypt(account, "data", plaintext);
      const { mac } = await first.hmac(account, "mac", message);
      await first.create(account, "data");
      for (const other of [...others, first, keys.open()]) {
        assert.ok(await other.verify(account, "root", message, signature));
        assert.deepEqual(await other.decrypt(account, "data", ciphertext), plaintext);
        assert.deepEqual((await other.hmac(account, "mac", message)).mac, mac);
        assert.deepEqual(await other.metadata(account, "root"), await first.metadata(account, "root"));
      }
    });

    test("are found by a service that asked before they were made", async () => {
      await using keys = await make();
      const [account] = keys.accounts;
      const [early, maker] = [keys.open(), keys.open()];
      await assert.rejects(early.sign(account, "root", message), { code: "KEY_NOT_FOUND" });
      await maker.create(account, "root");
      assert.ok(await maker.verify(account, "root", message, await early.sign(account, "root", message)));
    });

    test("do what their type is for and nothing else", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [account] = keys.accounts;
      const mismatch = { code: "KEY_TYPE_MISMATCH" };
      const signature = await service.sign(account, "root", message);
      const ciphertext = await service.encrypt(account, "data", plaintext);
      await assert.rejects(service.sign(account, "data", message), mismatch);
      await assert.rejects(service.verify(account, "mac", message, signature), mismatch);
      await assert.rejects(service.encrypt(account, "root", plaintext), mismatch);
      await assert.rejects(service.decrypt(account, "mac", ciphertext), mismatch);
      await assert.rejects(service.hmac(account, "data", message), mismatch);
      assert.equal((await service.hmac(account, "mac", message)).version, 1);
    });

    test("of one account are not there for another", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [, stranger] = keys.accounts;
      const missing = { code: "KEY_NOT_FOUND" };
      const [account] = keys.accounts;
      await assert.rejects(service.sign(stranger, "root", message), missing);
      await assert.rejects(
        service.verify(stranger, "root", message, await service.sign(account, "root", message)),
        missing,
      );
      await assert.rejects(service.encrypt(stranger, "data", plaintext), missing);
      await assert.rejects(
        service.decrypt(stranger, "data", await service.encrypt(account, "data", plaintext)),
        missing,
      );
      await assert.rejects(service.hmac(stranger, "mac", message), missing);
    });
  });

  suite(`${name}: signatures`, () => {
    test("verify here and with the public key alone", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [account] = keys.accounts;
      const signed = await service.sign(account, "root", message);
      assert.equal(signed.version, 1);
      assert.ok(await service.verify(account, "root", message, signed));
      const { versions } = await service.metadata(account, "root");
      const publicKey = publicKeyFromDer(versions[0]?.publicKey ?? Buffer.alloc(0));
      assert.ok(verify(message, signed.signature, publicKey));
    });

    test("do not verify for another message, account, version or length", async () => {
      await using keys = await make();
      const service = await withKeys(keys, 2);
      const [account, stranger] = keys.accounts;
      const signed = await service.sign(account, "root", message);
      const refused = [
        service.verify(account, "root", Buffer.from("another"), signed),
        service.verify(stranger, "root", message, signed),
        service.verify(account, "root", message, { ...signed, version: 2 }),
        service.verify(account, "root", message, { ...signed, version: 0 }),
        service.verify(account, "root", message, { ...signed, signature: signed.signature.subarray(1) }),
        service.verify(account, "root", message, { ...signed, signature: flipped(signed.signature) }),
      ];
      assert.deepEqual(
        await Promise.all(refused),
        refused.map(() => false),
      );
      assert.ok(await service.verify(account, "root", message, signed));
    });
  });

  suite(`${name}: ciphertexts`, () => {
    test("decrypt to what was encrypted, of any length", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [account] = keys.accounts;
      for (const bytes of [Buffer.alloc(0), plaintext, Buffer.alloc(100_000, 7)]) {
        const ciphertext = await service.encrypt(account, "data", bytes);
        assert.match(ciphertext, /^vault:v1:[A-Za-z0-9+/]+=*$/);
        assert.equal(Buffer.from(ciphertext.slice("vault:v1:".length), "base64").length, 12 + bytes.length + 16);
        assert.deepEqual(await service.decrypt(account, "data", ciphertext), bytes);
      }
    });

    test("differ each time", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [account] = keys.accounts;
      assert.notEqual(
        await service.encrypt(account, "data", plaintext),
        await service.encrypt(account, "data", plaintext),
      );
    });

    test("are bound to their associated data", async () => {
      await using keys = await make();
      const service = await withKeys(keys);
      const [account] = keys.accounts;
      const bound = await service.encrypt(account, "data", plaintext, { associatedData });
      const loose = await service.encrypt(account, "data", plaintext);
      assert.deepEqual(await service.decrypt(account, "data", bound, { associatedData }), plaintext);
      assert.deepEqual(await service.decrypt(account, "data", loose), plaintext);
      const invalid = { code: "CIPHERTEXT_INVALID" };
      const other = { associatedData: Buffer.from("account 1, credential 2, version 4") };
      await assert.rejects(service.decrypt(account, "data", bound, other), invalid);
      await assert.rejects(service.decrypt(account, "data", bound), invalid);
      await assert.rejects(service.decrypt(account, "data", loose, { associatedData }), invalid);
    });

    test("of another account, of an unknown version or changed anywhere do not open", async () => {
      await using keys = await make();
      const service = await withKeys(keys, 2);
      const [account, stranger] = keys.accounts;
      const ciphertext = await service.encrypt(account, "data", plaintext, { associatedData });
      const body = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
      const encode = (bytes: Buffer) => `vault:v1:${bytes.toString("base64")}`;
      const invalid = { code: "CIPHERTEXT_INVALID" };
      await assert.rejects(service.decrypt(stranger, "data", ciphertext, { associatedData }), invalid);
      for (const changed of [
        ...[0, 12, body.length - 1].map((at) => encode(flipped(body, at))),
        encode(body.subarray(0, -1)),
        encode(body.subarray(0, 27)),
        encode(Buffer.concat([body, Buffer.of(0)])),
        encode(Buffer.alloc(0)),
        ciphertext.replace("v1", "v2"),
        ciphertext.replace("v1", "v0"),
        ciphertext.replace("v1", "v01"),
        ciphertext.replace("v1", "v99999999999999999999"),
        ciphertext.replace("vault:", ""),
        ciphertext.replace("vault", "vaults"),
        `${ciphertext}\n`,
        `${ciphertext}=`,
        "vault:v1:!",
        "",
      ]) {
        await assert.rejects(service.decrypt(account, "data", changed, { associatedData }), invalid, changed);
      }
      assert.deepEqual(await service.decrypt(account, "data", ciphertext, { associatedData }), plaintext);
    });
  });

  suite(`${name}: keyed hashes`, () => {
    test("are HMAC-SHA-256 in length, equal for equal inputs, and an account's own", async () => {
      await using keys = await make();
      const service = await withKeys(keys, 2);
      const [account, stranger] = keys.accounts;
      const { mac, version } = await service.hmac(account, "mac", message);
      assert.equal(version, 1);
      assert.equal(mac.length, createHmac("sha256", "").digest().length);
      assert.deepEqual(await service.hmac(account, "mac", message), { mac, version });
      assert.deepEqual(await service.hmac(account, "mac", message, 1), { mac, version });
      assert.notDeepEqual((await service.hmac(account, "mac", plaintext)).mac, mac);
      assert.notDeepEqual((await service.hmac(stranger, "mac", message)).mac, mac);
      await assert.rejects(service.hmac(account, "mac", message, 2), { code: "KEY_NOT_FOUND" });
    });
  });
}

/** A service whose first accounts have all their keys. */
async function withKeys(keys: KeyServiceUnderTest, accounts: 1 | 2 = 1): Promise<KeyService> {
  const service = keys.open();
  for (const account of keys.accounts.slice(0, accounts)) {
    for (const keyName of KEY_NAMES) await service.create(account, keyName);
  }
  return service;
}

function flipped(bytes: Buffer, at = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
