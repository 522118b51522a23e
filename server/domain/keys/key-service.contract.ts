import assert from "node:assert/strict";
import { createHmac, createPublicKey, verify as verifyEcdsa } from "node:crypto";
import { suite, test } from "node:test";
import { publicKeyFromDer, verify } from "../../../contracts/formats/ed25519.ts";
import { keyLifeContract } from "./key-life.contract.ts";
import { KEY_NAMES, KEY_TYPES, type KeyService } from "./key-service.ts";
import type { KeyServiceUnderTest } from "./key-service-under-test.fixture.ts";

const message = Buffer.from("a certificate for a process key");
const plaintext = Buffer.from("a body that a policy keeps");
const associatedData = Buffer.from("account 1, credential 2, version 3");

/** What every key service does, whoever keeps the keys. `make` gives a fresh one for each test. */
export function keyServiceContract(name: string, make: () => Promise<KeyServiceUnderTest>): void {
  keyLifeContract(name, make);
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
        // of keys for hashes a transit engine tells no times
        assert.ok(keyName === "mac" || metadata.versions.every(({ createdAt }) => createdAt instanceof Date));
        assert.equal(metadata.derived, false);
        assert.deepEqual(
          [metadata.minDecryptionVersion, metadata.minEncryptionVersion, metadata.minAvailableVersion],
          [1, 0, 0],
        );
        assert.equal(metadata.deletionAllowed, false);
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

    test("are listed by name, each account's its own", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account, stranger] = keys.accounts;
      assert.deepEqual(await service.list(account), []);
      for (const keyName of ["root", "extra-1", "data"]) {
        await service.create(account, keyName, keyName === "extra-1" ? { type: "chacha20-poly1305" } : {});
      }
      await service.create(stranger, "mac");
      assert.deepEqual(await service.list(account), ["data", "extra-1", "root"]);
      assert.deepEqual(await service.list(stranger), ["mac"]);
    });

    test("are not made under names that are none, of no type, or as another kind than they are", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      for (const name of ["", "Data", "a/b", "../data", "a".repeat(41), "a-", "0a", "__proto__"]) {
        await assert.rejects(service.create(account, name, { type: "hmac" }), { code: "INPUT_INVALID" }, name);
      }
      await assert.rejects(service.create(account, "extra"), { code: "INPUT_INVALID" });
      const mismatch = { code: "KEY_TYPE_MISMATCH" };
      for (const type of ["hmac", "ed25519", "ecdsa-p256"] as const) {
        await assert.rejects(service.create(account, "extra", { type, derived: true }), mismatch);
      }
      assert.deepEqual(await service.list(account), []);
      await service.create(account, "extra", { type: "aes256-gcm96", derived: true });
      await service.create(account, "extra", { type: "aes256-gcm96", derived: true });
      await assert.rejects(service.create(account, "extra", { type: "aes256-gcm96" }), mismatch);
      await assert.rejects(service.create(account, "extra", { type: "chacha20-poly1305", derived: true }), mismatch);
      const { type, derived, latestVersion } = await service.metadata(account, "extra");
      assert.deepEqual({ type, derived, latestVersion }, { type: "aes256-gcm96", derived: true, latestVersion: 1 });
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
      await assert.rejects(
        service.verifyHmac(account, "root", message, { version: 1, mac: Buffer.alloc(32) }),
        mismatch,
      );
      await assert.rejects(service.rewrap(account, "mac", ciphertext), mismatch);
      await assert.rejects(service.dataKey(account, "root"), mismatch);
      await assert.rejects(service.encryptBatch(account, "root", [{ plaintext }]), mismatch);
      await assert.rejects(service.decryptBatch(account, "mac", [{ ciphertext }]), mismatch);
      await assert.rejects(service.rewrapBatch(account, "root", [{ ciphertext }]), mismatch);
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
      const hash = await service.hmac(account, "mac", message);
      await assert.rejects(service.verifyHmac(stranger, "mac", message, hash), missing);
      await assert.rejects(service.dataKey(stranger, "data"), missing);
      await assert.rejects(service.rotate(stranger, "data"), missing);
      await assert.rejects(service.configure(stranger, "data", { minEncryptionVersion: 1 }), missing);
      await assert.rejects(service.trim(stranger, "data", 1), missing);
      await assert.rejects(service.delete(stranger, "data"), missing);
      // asking has made none of them
      assert.deepEqual(await service.list(stranger), []);
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

  suite(`${name}: signatures of ECDSA P-256`, () => {
    test("are DER over SHA-256, verify here and elsewhere, and for nothing else", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "ecdsa", { type: "ecdsa-p256" });
      const signed = await service.sign(account, "ecdsa", message);
      assert.ok(await service.verify(account, "ecdsa", message, signed));
      const { versions } = await service.metadata(account, "ecdsa");
      const key = createPublicKey({ key: versions[0]?.publicKey ?? Buffer.alloc(0), format: "der", type: "spki" });
      assert.equal(key.asymmetricKeyDetails?.namedCurve, "prime256v1");
      assert.ok(verifyEcdsa("sha256", message, key, signed.signature));
      const not = async (bytes: Buffer, signature: Buffer, version = 1) =>
        assert.equal(await service.verify(account, "ecdsa", bytes, { version, signature }), false);
      await not(plaintext, signed.signature);
      await not(message, flipped(signed.signature, signed.signature.length - 1));
      await not(message, signed.signature.subarray(1));
      await not(message, Buffer.alloc(0));
      await not(message, signed.signature, 2);
      await not(message, signed.signature, 0);
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

    test("of ChaCha20-Poly1305 look and behave the same", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "chacha", { type: "chacha20-poly1305" });
      for (const bytes of [Buffer.alloc(0), plaintext]) {
        const ciphertext = await service.encrypt(account, "chacha", bytes, { associatedData });
        const body = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
        assert.equal(body.length, 12 + bytes.length + 16);
        assert.deepEqual(await service.decrypt(account, "chacha", ciphertext, { associatedData }), bytes);
        const changed = `vault:v1:${flipped(body, body.length - 1).toString("base64")}`;
        const invalid = { code: "CIPHERTEXT_INVALID" };
        await assert.rejects(service.decrypt(account, "chacha", changed, { associatedData }), invalid);
        await assert.rejects(service.decrypt(account, "chacha", ciphertext), invalid);
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
      assert.equal((await service.hmac(account, "mac", Buffer.alloc(0))).mac.length, 32);
    });

    test("are told from others", async () => {
      await using keys = await make();
      const service = await withKeys(keys, 2);
      const [account, stranger] = keys.accounts;
      const hash = await service.hmac(account, "mac", message);
      assert.ok(await service.verifyHmac(account, "mac", message, hash));
      const refused = [
        service.verifyHmac(account, "mac", plaintext, hash),
        service.verifyHmac(stranger, "mac", message, hash),
        service.verifyHmac(account, "mac", message, { ...hash, version: 2 }),
        service.verifyHmac(account, "mac", message, { ...hash, version: 0 }),
        service.verifyHmac(account, "mac", message, { ...hash, mac: flipped(hash.mac) }),
        service.verifyHmac(account, "mac", message, { ...hash, mac: hash.mac.subarray(1) }),
        service.verifyHmac(account, "mac", message, { ...hash, mac: Buffer.alloc(0) }),
      ];
      assert.deepEqual(
        await Promise.all(refused),
        refused.map(() => false),
      );
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
