import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { HubError } from "../../errors.ts";
import { versionOf } from "./ciphertext.ts";
import type { BatchResult, KeyService } from "./key-service.ts";
import type { KeyServiceUnderTest } from "./key-service-under-test.fixture.ts";
import { BATCH_LIMIT, BINDING_LIMIT, PLAINTEXT_LIMIT } from "./limits.ts";

const plaintext = Buffer.from("the secret of a record");
const message = Buffer.from("message");
const context = Buffer.from("account 1, credential 2");
const otherContext = Buffer.from("account 1, credential 3");

const invalid = { code: "CIPHERTEXT_INVALID" };
const tooOld = { code: "KEY_VERSION_TOO_OLD" };
const conflict = { code: "CONFLICT" };
const tooLarge = { code: "INPUT_TOO_LARGE" };
const mismatch = { code: "KEY_TYPE_MISMATCH" };

/** How keys change, and what then becomes of what they made: derived keys, batches, rotation, rules, the end. */
export function keyLifeContract(name: string, make: () => Promise<KeyServiceUnderTest>): void {
  suite(`${name}: derived keys`, () => {
    test("open for their own context alone", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      for (const type of ["aes256-gcm96", "chacha20-poly1305"] as const) {
        await service.create(account, type, { type, derived: true });
        const ciphertext = await service.encrypt(account, type, plaintext, { context });
        assert.deepEqual(await service.decrypt(account, type, ciphertext, { context }), plaintext);
        await assert.rejects(service.decrypt(account, type, ciphertext, { context: otherContext }), invalid);
        const rewrapped = await service.rewrap(account, type, ciphertext, { context });
        assert.deepEqual(await service.decrypt(account, type, rewrapped, { context }), plaintext);
        await assert.rejects(service.rewrap(account, type, ciphertext, { context: otherContext }), invalid);
        const dataKey = await service.dataKey(account, type, { context });
        assert.deepEqual(await service.decrypt(account, type, dataKey.ciphertext, { context }), dataKey.plaintext);
        await assert.rejects(service.decrypt(account, type, dataKey.ciphertext, { context: otherContext }), invalid);
      }
    });

    test("need a context, and others take none", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      await service.create(account, "derived", { type: "aes256-gcm96", derived: true });
      const plain = await service.encrypt(account, "data", plaintext);
      const bound = await service.encrypt(account, "derived", plaintext, { context });
      for (const none of [{}, { context: Buffer.alloc(0) }]) {
        await assert.rejects(service.encrypt(account, "derived", plaintext, none), mismatch);
        await assert.rejects(service.decrypt(account, "derived", bound, none), mismatch);
        await assert.rejects(service.rewrap(account, "derived", bound, none), mismatch);
        await assert.rejects(service.dataKey(account, "derived", none), mismatch);
      }
      await assert.rejects(service.encrypt(account, "data", plaintext, { context }), mismatch);
      await assert.rejects(service.decrypt(account, "data", plain, { context }), mismatch);
      await assert.rejects(service.rewrap(account, "data", plain, { context }), mismatch);
      await assert.rejects(service.dataKey(account, "data", { context }), mismatch);
      assert.deepEqual(await service.decrypt(account, "data", plain), plaintext);
    });

    test("take associated data beside the context", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "derived", { type: "aes256-gcm96", derived: true });
      const options = { context, associatedData: message };
      const ciphertext = await service.encrypt(account, "derived", plaintext, options);
      assert.deepEqual(await service.decrypt(account, "derived", ciphertext, options), plaintext);
      await assert.rejects(service.decrypt(account, "derived", ciphertext, { context }), invalid);
      await assert.rejects(service.rewrap(account, "derived", ciphertext, { context }), invalid);
    });
  });

  suite(`${name}: data keys`, () => {
    test("are fresh, of 32 bytes, and open again", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      const [one, other] = [await service.dataKey(account, "data"), await service.dataKey(account, "data")];
      assert.equal(one.plaintext.length, 32);
      assert.notDeepEqual(one.plaintext, other.plaintext);
      assert.deepEqual(await service.decrypt(account, "data", one.ciphertext), one.plaintext);
    });
  });

  suite(`${name}: batches`, () => {
    test("answer item by item, in order; a bad one keeps none of the others back", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      const items = Array.from({ length: 400 }, (_, index) => ({ plaintext: Buffer.from(`secret ${index}`) }));
      const ciphertexts = values(await service.encryptBatch(account, "data", items));
      const opened = values(await service.decryptBatch(account, "data", ciphertexts.map(toItem)));
      assert.deepEqual(
        opened,
        items.map(({ plaintext: bytes }) => bytes),
      );
      await service.rotate(account, "data");
      const damaged = [...ciphertexts];
      damaged[7] = ciphertexts[7]?.replace("v1", "v9") ?? "";
      damaged[8] = "nonsense";
      damaged[211] = `${ciphertexts[211]?.slice(0, 30)}${ciphertexts[212]?.slice(30)}`;
      const rewrapped = await service.rewrapBatch(account, "data", damaged.map(toItem));
      assert.deepEqual(failures(rewrapped), { 7: invalid.code, 8: invalid.code, 211: invalid.code });
      const again = await service.decryptBatch(
        account,
        "data",
        rewrapped.map((result) => toItem(result.ok ? result.value : "")),
      );
      assert.deepEqual(failures(again), { 7: invalid.code, 8: invalid.code, 211: invalid.code });
      assert.equal(
        again.filter((result, index) => result.ok && result.value.equals(opened[index] as Buffer)).length,
        397,
      );
      assert.ok(rewrapped.every((result) => !result.ok || versionOf(result.value) === 2));
    });

    test("take contexts and associated data of their items", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "derived", { type: "aes256-gcm96", derived: true });
      const bindings = [{ context }, { context: otherContext }, { context, associatedData: message }];
      const sealed = values(
        await service.encryptBatch(
          account,
          "derived",
          bindings.map((binding) => ({ plaintext, ...binding })),
        ),
      );
      const items = sealed.map((ciphertext, index) => ({ ciphertext, ...bindings[index] }));
      assert.ok(
        values(await service.decryptBatch(account, "derived", items)).every((bytes) => bytes.equals(plaintext)),
      );
      const swapped = items.map((item) => ({ ...item, context: otherContext }));
      assert.deepEqual(failures(await service.decryptBatch(account, "derived", swapped)), {
        0: invalid.code,
        2: invalid.code,
      });
      const unbound = items.map(({ ciphertext }, index) =>
        index === 1 ? { ciphertext, context: otherContext } : { ciphertext },
      );
      assert.deepEqual(failures(await service.rewrapBatch(account, "derived", unbound)), {
        0: mismatch.code,
        2: mismatch.code,
      });
    });

    test("of nothing are nothing, all bad ones are all bad, and too many are refused", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      assert.deepEqual(await service.encryptBatch(account, "data", []), []);
      assert.deepEqual(await service.decryptBatch(account, "data", []), []);
      assert.deepEqual(await service.rewrapBatch(account, "data", []), []);
      const bad = await service.decryptBatch(account, "data", [{ ciphertext: "" }, { ciphertext: "vault:v1:AAAA" }]);
      assert.deepEqual(failures(bad), { 0: invalid.code, 1: invalid.code });
      const many = Array.from({ length: BATCH_LIMIT + 1 }, () => ({ plaintext: message }));
      await assert.rejects(service.encryptBatch(account, "data", many), tooLarge);
      assert.equal(values(await service.encryptBatch(account, "data", many.slice(1))).length, BATCH_LIMIT);
      const ten = Array.from({ length: 10_000 }, () => ({ ciphertext: "" }));
      await assert.rejects(service.decryptBatch(account, "data", ten), tooLarge);
      await assert.rejects(service.rewrapBatch(account, "data", ten), tooLarge);
    });
  });

  suite(`${name}: what is too large`, () => {
    test("is refused before anything is done with it; what just fits is not", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      for (const keyName of ["root", "data", "mac"]) await service.create(account, keyName);
      const huge = Buffer.alloc(PLAINTEXT_LIMIT + 1);
      await assert.rejects(service.encrypt(account, "data", Buffer.alloc(100 * 1024 * 1024)), tooLarge);
      await assert.rejects(service.encrypt(account, "data", huge), tooLarge);
      await assert.rejects(service.sign(account, "root", huge), tooLarge);
      await assert.rejects(service.hmac(account, "mac", huge), tooLarge);
      const associatedData = Buffer.alloc(BINDING_LIMIT + 1);
      await assert.rejects(service.encrypt(account, "data", message, { associatedData }), tooLarge);
      const [bad, good] = await service.encryptBatch(account, "data", [{ plaintext: huge }, { plaintext: message }]);
      assert.deepEqual([bad && codeOf(bad), good?.ok], [tooLarge.code, true]);
      const fits = huge.subarray(1);
      assert.deepEqual(await service.decrypt(account, "data", await service.encrypt(account, "data", fits)), fits);
    });
  });

  suite(`${name}: rotation`, () => {
    test("makes the next version the one in use, and what older ones made goes on working", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await made(service, account);
      const before = await artefacts(service, account);
      for (const keyName of ["root", "ecdsa", "data", "mac"]) {
        const metadata = await service.rotate(account, keyName);
        assert.equal(metadata.latestVersion, 2);
        assert.deepEqual(
          metadata.versions.map(({ version }) => version),
          [1, 2],
        );
        assert.deepEqual(metadata, await keys.open().metadata(account, keyName));
      }
      const after = await artefacts(service, account);
      for (const [old, fresh] of [[before, after]] as const) {
        assert.equal(versionOf(old.ciphertext), 1);
        assert.equal(versionOf(fresh.ciphertext), 2);
        assert.deepEqual([fresh.signature.version, fresh.ecdsa.version, fresh.hash.version], [2, 2, 2]);
        assert.notDeepEqual(fresh.hash.mac, old.hash.mac);
      }
      for (const reader of [service, keys.open()]) {
        for (const each of [before, after]) await assertUsable(reader, account, each);
      }
      assert.deepEqual(await service.hmac(account, "mac", message, 1), before.hash);
      const rewrapped = await service.rewrap(account, "data", before.ciphertext);
      assert.equal(versionOf(rewrapped), 2);
      assert.deepEqual(await service.decrypt(account, "data", rewrapped), plaintext);
    });
  });

  suite(`${name}: rules`, () => {
    test("end the use of old versions, and give it back", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await made(service, account);
      const old = await artefacts(service, account);
      for (const keyName of ["root", "ecdsa", "data", "mac"]) {
        await service.rotate(account, keyName);
        const { versions, minDecryptionVersion } = await service.configure(account, keyName, {
          minDecryptionVersion: 2,
        });
        assert.equal(minDecryptionVersion, 2);
        assert.deepEqual(
          versions.map(({ version }) => version),
          [2],
        );
      }
      await assert.rejects(service.decrypt(account, "data", old.ciphertext), tooOld);
      await assert.rejects(service.rewrap(account, "data", old.ciphertext), tooOld);
      await assert.rejects(service.verify(account, "root", message, old.signature), tooOld);
      await assert.rejects(service.verify(account, "ecdsa", message, old.ecdsa), tooOld);
      await assert.rejects(service.verifyHmac(account, "mac", message, old.hash), tooOld);
      await assert.rejects(service.hmac(account, "mac", message, 1), tooOld);
      const results = await service.decryptBatch(account, "data", [
        { ciphertext: old.ciphertext },
        { ciphertext: await service.encrypt(account, "data", plaintext) },
      ]);
      assert.deepEqual(failures(results), { 0: tooOld.code });
      await assertUsable(service, account, await artefacts(service, account));
      for (const keyName of ["root", "ecdsa", "data", "mac"]) {
        const { versions } = await service.configure(account, keyName, { minDecryptionVersion: 1 });
        assert.deepEqual(
          versions.map(({ version }) => version),
          [1, 2],
        );
      }
      await assertUsable(service, account, old);
    });

    test("let hashes be checked that are made no more", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "mac");
      const old = await service.hmac(account, "mac", message);
      await service.rotate(account, "mac");
      await service.configure(account, "mac", { minEncryptionVersion: 2 });
      await assert.rejects(service.hmac(account, "mac", message, 1), tooOld);
      assert.ok(await service.verifyHmac(account, "mac", message, old));
      assert.equal((await service.hmac(account, "mac", message, 2)).version, 2);
    });

    test("that do not go together are refused, and change nothing", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      for (let version = 2; version <= 4; version++) await service.rotate(account, "data");
      await service.configure(account, "data", { minDecryptionVersion: 2, minEncryptionVersion: 3 });
      const before = await service.metadata(account, "data");
      for (const rules of [
        { minDecryptionVersion: 5 },
        { minEncryptionVersion: 5 },
        { minDecryptionVersion: 4 },
        { minEncryptionVersion: 1 },
        { minDecryptionVersion: -1 },
        { minEncryptionVersion: -1 },
        { minDecryptionVersion: 1.5 },
        { minDecryptionVersion: Number.NaN },
        { minDecryptionVersion: 4, minEncryptionVersion: 2, deletionAllowed: true },
      ]) {
        await assert.rejects(service.configure(account, "data", rules), conflict, JSON.stringify(rules));
      }
      assert.deepEqual(await service.metadata(account, "data"), before);
      const after = await service.configure(account, "data", { minDecryptionVersion: 4, minEncryptionVersion: 4 });
      assert.deepEqual([after.minDecryptionVersion, after.minEncryptionVersion], [4, 4]);
      assert.deepEqual(await service.configure(account, "data", {}), after);
    });
  });

  suite(`${name}: trimming`, () => {
    test("destroys what both least versions gave up, and nothing else", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      const first = await service.encrypt(account, "data", plaintext);
      for (let version = 2; version <= 4; version++) await service.rotate(account, "data");
      const last = await service.encrypt(account, "data", plaintext);
      await assert.rejects(service.trim(account, "data", 1), conflict); // no least version for encryption
      await service.configure(account, "data", { minDecryptionVersion: 2, minEncryptionVersion: 3 });
      for (const version of [3, 4, 5, 0, -1, 1.5]) {
        await assert.rejects(service.trim(account, "data", version), conflict, String(version));
      }
      assert.equal((await service.metadata(account, "data")).minAvailableVersion, 0);
      assert.equal((await service.trim(account, "data", 2)).minAvailableVersion, 2);
      await assert.rejects(service.trim(account, "data", 1), conflict);
      await assert.rejects(service.configure(account, "data", { minDecryptionVersion: 1 }), conflict);
      await assert.rejects(service.configure(account, "data", { minEncryptionVersion: 0 }), conflict);
      for (const reader of [service, keys.open()]) {
        await assert.rejects(reader.decrypt(account, "data", first), tooOld);
        assert.deepEqual(await reader.decrypt(account, "data", last), plaintext);
        assert.equal((await reader.metadata(account, "data")).latestVersion, 4);
      }
      // creating the key again does not bring the first version back
      await service.create(account, "data");
      assert.deepEqual(
        (await service.metadata(account, "data")).versions.map(({ version }) => version),
        [2, 3, 4],
      );
      assert.equal((await service.rotate(account, "data")).latestVersion, 5);
    });
  });

  suite(`${name}: deletion`, () => {
    test("has to be allowed, takes all versions, and leaves the name free", async () => {
      await using keys = await make();
      const service = keys.open();
      const [account] = keys.accounts;
      await service.create(account, "data");
      await service.rotate(account, "data");
      const ciphertext = await service.encrypt(account, "data", plaintext);
      await assert.rejects(service.delete(account, "data"), conflict);
      await service.configure(account, "data", { deletionAllowed: true });
      await service.configure(account, "data", { deletionAllowed: false });
      await assert.rejects(service.delete(account, "data"), conflict);
      assert.deepEqual(await service.decrypt(account, "data", ciphertext), plaintext);
      assert.ok((await service.configure(account, "data", { deletionAllowed: true })).deletionAllowed);
      await service.delete(account, "data");
      const missing = { code: "KEY_NOT_FOUND" };
      for (const reader of [service, keys.open()]) {
        await assert.rejects(reader.metadata(account, "data"), missing);
        await assert.rejects(reader.decrypt(account, "data", ciphertext), missing);
        // and encrypting does not make it anew, as a transit engine may
        await assert.rejects(reader.encrypt(account, "data", plaintext), missing);
        await assert.rejects(reader.encryptBatch(account, "data", [{ plaintext }]), missing);
        assert.deepEqual(await reader.list(account), []);
      }
      await assert.rejects(service.delete(account, "data"), missing);
      await service.create(account, "data");
      const { latestVersion, deletionAllowed } = await service.metadata(account, "data");
      assert.deepEqual([latestVersion, deletionAllowed], [1, false]);
      await assert.rejects(service.decrypt(account, "data", ciphertext), invalid); // version 2 is not there
      await service.rotate(account, "data");
      await assert.rejects(service.decrypt(account, "data", ciphertext), invalid); // and is another key now
    });
  });
}

const toItem = (ciphertext: string) => ({ ciphertext });
const codeOf = (result: BatchResult<unknown>) => (result.ok ? "OK" : (result.error satisfies HubError).code);

function values<T>(results: readonly BatchResult<T>[]): T[] {
  return results.map((result) => {
    if (!result.ok) throw result.error;
    return result.value;
  });
}

function failures(results: readonly BatchResult<unknown>[]): Record<number, string> {
  return Object.fromEntries(results.flatMap((result, index) => (result.ok ? [] : [[index, codeOf(result)]])));
}

async function made(service: KeyService, account: string): Promise<void> {
  for (const keyName of ["root", "data", "mac"]) await service.create(account, keyName);
  await service.create(account, "ecdsa", { type: "ecdsa-p256" });
}

/** One of each thing that keys make. */
async function artefacts(service: KeyService, account: string) {
  return {
    ciphertext: await service.encrypt(account, "data", plaintext),
    signature: await service.sign(account, "root", message),
    ecdsa: await service.sign(account, "ecdsa", message),
    hash: await service.hmac(account, "mac", message),
  };
}

async function assertUsable(service: KeyService, account: string, made: Awaited<ReturnType<typeof artefacts>>) {
  assert.deepEqual(await service.decrypt(account, "data", made.ciphertext), plaintext);
  assert.ok(await service.verify(account, "root", message, made.signature));
  assert.ok(await service.verify(account, "ecdsa", message, made.ecdsa));
  assert.ok(await service.verifyHmac(account, "mac", message, made.hash));
}
