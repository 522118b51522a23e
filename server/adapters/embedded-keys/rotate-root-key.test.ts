import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { v7 } from "uuid";
import { EmbeddedKeyService } from "./embedded-key-service.ts";
import { FakeKeyStore } from "./fake-key-store.ts";
import { passphraseFromFile } from "./passphrase.ts";
import { protectRootKey } from "./protect-root-key.ts";
import { openRootKeyFile } from "./root-key-file.ts";
import { RootKeyRing } from "./root-key-ring.ts";
import { type RootRotation, rotateRootKey } from "./rotate-root-key.ts";

const message = Buffer.from("message");
const passphrase = "correct horse battery staple";

/** A hub's root key file and its keys in memory. */
class Place implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-root-rotation-"));
  readonly path = join(this.folder, "keys", "root.key");
  readonly dataFolder = join(this.folder, "data");
  readonly store = new FakeKeyStore();

  constructor() {
    mkdirSync(join(this.folder, "keys"));
    mkdirSync(this.dataFolder);
  }

  get files(): string[] {
    return readdirSync(join(this.folder, "keys")).sort();
  }

  async service(ask?: () => Promise<string>): Promise<EmbeddedKeyService> {
    return new EmbeddedKeyService(await RootKeyRing.open({ ...this.at, ...(ask && { passphrase: ask }) }), this.store);
  }

  get at() {
    return { path: this.path, dataFolder: this.dataFolder };
  }

  rotate(changes: Partial<RootRotation> = {}) {
    return rotateRootKey({
      place: this.at,
      now: () => new Date("2026-11-25T12:00:00Z"),
      rewrapAll: async (rewrap) => {
        let count = 0;
        // all or nothing, as a transaction
        const rows = this.store.rows.map((row) => {
          const derived = this.store.rules.get(`${row.accountId}/${row.keyName}`)?.derived ?? false;
          const wrapped = rewrap({ ...row, derived }, row.wrapped);
          if (wrapped) count++;
          return { ...row, wrapped: wrapped ?? row.wrapped };
        });
        this.store.rows = rows;
        return count;
      },
      ...changes,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function furnished() {
  const place = new Place();
  await openRootKeyFile({ ...place.at, create: true });
  const service = await place.service();
  const accounts = [v7(), v7()];
  const made: { account: string; ciphertext: string; bound: string }[] = [];
  for (const account of accounts) {
    for (const name of ["root", "data", "mac"]) await service.create(account, name);
    await service.create(account, "derived", { type: "chacha20-poly1305", derived: true });
    await service.rotate(account, "data");
    const ciphertext = await service.encrypt(account, "data", message);
    made.push({ account, ciphertext, bound: await service.encrypt(account, "derived", message, { context: message }) });
  }
  const readable = async (by: EmbeddedKeyService) => {
    for (const { account, ciphertext, bound } of made) {
      assert.deepEqual(await by.decrypt(account, "data", ciphertext), message);
      assert.deepEqual(await by.decrypt(account, "derived", bound, { context: message }), message);
      await by.sign(account, "root", message);
      await by.metadata(account, "mac");
    }
  };
  return { place, service, accounts, readable, [Symbol.dispose]: () => place[Symbol.dispose]() };
}

suite("replacing the root key", () => {
  test("wraps every version anew; hubs that run go on, and the old key opens nothing any more", async () => {
    using hub = await furnished();
    const { place, service, readable, accounts } = hub;
    const old = readFileSync(place.path);
    const rotated = await place.rotate();
    assert.deepEqual([rotated.rewrapped, rotated.resumed, rotated.spoilt], [10, false, []]);
    assert.deepEqual(place.files, ["root.key", "root.key.until-20261125T120000Z"]);
    assert.deepEqual(readFileSync(rotated.oldKeyFile), old);
    assert.equal(statSync(place.path).mode & 0o777, 0o600);
    await readable(service); // with the old key in its memory
    await readable(await place.service());
    await service.create(accounts[0] as string, "later", { type: "hmac" });
    await (await place.service()).metadata(accounts[0] as string, "later");
    writeFileSync(place.path, old);
    await assert.rejects((await place.service()).metadata(accounts[0] as string, "data"), {
      code: "KEY_SERVICE_UNREACHABLE",
    });
  });

  for (const step of ["written", "rewrapped", "kept"] as const) {
    test(`cut off after it was ${step}: hubs use both keys, keys are made, and the next try ends it`, async () => {
      using hub = await furnished();
      const { place, service, readable, accounts } = hub;
      const cut = place.rotate({
        onStep: (at) => {
          if (at === step) throw new Error("cut off");
        },
      });
      await assert.rejects(cut, /cut off/);
      assert.ok(existsSync(`${place.path}.next`));
      for (const one of [service, await place.service()]) {
        await readable(one);
        await one.create(accounts[1] as string, `made-${one === service ? "there" : "here"}`, { type: "hmac" });
      }
      const later = { now: () => new Date("2026-11-26T12:00:00Z") };
      const { resumed, rewrapped } = await place.rotate(later);
      assert.deepEqual([resumed, rewrapped], [true, step === "written" ? 10 : 0]);
      assert.ok(!existsSync(`${place.path}.next`));
      const fresh = await place.service();
      await readable(fresh);
      await fresh.metadata(accounts[1] as string, "made-there");
      await fresh.metadata(accounts[1] as string, "made-here");
    });
  }

  test("cut off while it wraps changes nothing that is stored", async () => {
    using hub = await furnished();
    const { place, readable } = hub;
    const before = structuredClone(place.store.rows.map(({ wrapped }) => wrapped));
    await assert.rejects(
      place.rotate({
        rewrapAll: async () => {
          throw new Error("the database went away");
        },
      }),
    );
    assert.deepEqual(
      place.store.rows.map(({ wrapped }) => Uint8Array.from(wrapped)),
      before.map((bytes) => Uint8Array.from(bytes)),
    );
    await readable(await place.service());
    await place.rotate();
    await readable(await place.service());
  });

  test("names a version that neither key opens, and is stopped by it no more than the others are", async () => {
    using hub = await furnished();
    const { place, accounts } = hub;
    const row = place.store.rows.find(({ accountId, keyName }) => accountId === accounts[0] && keyName === "mac");
    assert.ok(row);
    row.wrapped[20] = (row.wrapped[20] as number) ^ 1;
    const { spoilt, rewrapped } = await place.rotate();
    assert.deepEqual(spoilt, [{ accountId: accounts[0], keyName: "mac", version: 1 }]);
    assert.equal(rewrapped, 9);
    await (await place.service()).metadata(accounts[0] as string, "data");
  });

  test("twice in a row keeps both old keys", async () => {
    using hub = await furnished();
    const { place, readable, service } = hub;
    await place.rotate();
    await place.rotate({ now: () => new Date("2026-11-26T12:00:00Z") });
    assert.equal(place.files.length, 3);
    await readable(service);
  });
});

suite("a root key under a passphrase", () => {
  test("opens with it and with nothing else, and its file does not show the key", async () => {
    using place = new Place();
    const key = await openRootKeyFile({ ...place.at, create: true, protectWith: passphrase });
    assert.match(readFileSync(place.path, "latin1"), /^countersign-root-key-v1 scrypt 131072 8 1 /);
    assert.ok(!readFileSync(place.path, "latin1").includes(key.export().toString("base64")));
    assert.equal(statSync(place.path).mode & 0o777, 0o600);
    const open = (answer?: string) =>
      openRootKeyFile({ ...place.at, create: false, ...(answer !== undefined && { passphrase: async () => answer }) });
    const bad = { code: "CONFIG_INVALID" };
    await assert.rejects(open(), bad);
    await assert.rejects(open("correct horse battery stapler"), bad);
    assert.ok((await open(passphrase)).equals(key));
  });

  test("is asked for once, also while the key is replaced, and protects the new one", async () => {
    using place = new Place();
    await openRootKeyFile({ ...place.at, create: true, protectWith: passphrase });
    let asked = 0;
    const ask = async () => {
      asked++;
      return passphrase;
    };
    const [service, account] = [await place.service(ask), v7()];
    await service.create(account, "data");
    const ciphertext = await service.encrypt(account, "data", message);
    await place.rotate({ place: { ...place.at, passphrase: async () => passphrase } });
    assert.match(readFileSync(place.path, "latin1"), /^countersign-root-key-v1 scrypt /);
    assert.deepEqual(await service.decrypt(account, "data", ciphertext), message);
    await service.metadata(account, "data");
    assert.equal(asked, 1);
  });

  test("comes and goes without the key being another", async () => {
    using hub = await furnished();
    const { place, readable } = hub;
    const refused = { code: "CONFIG_INVALID" };
    const ask = async () => passphrase;
    await assert.rejects(RootKeyRing.open({ ...place.at, passphrase: ask, mustBeProtected: true }), refused);
    await assert.rejects(protectRootKey(place.at, "short"), refused);
    await protectRootKey(place.at, passphrase);
    await RootKeyRing.open({ ...place.at, passphrase: ask, mustBeProtected: true });
    await readable(await place.service(ask));
    await assert.rejects(place.service(), refused);
    await assert.rejects(
      protectRootKey({ ...place.at, passphrase: async () => "not this passphrase" }, undefined),
      refused,
    );
    await protectRootKey({ ...place.at, passphrase: ask }, undefined);
    await readable(await place.service());
    assert.deepEqual(place.files, ["root.key"]);
  });

  test("comes from a file that this user alone reads", async () => {
    using place = new Place();
    const file = (content: string, mode = 0o600) => {
      const path = join(place.folder, `passphrase-${mode}-${content.length}`);
      writeFileSync(path, content, { mode });
      return passphraseFromFile(path);
    };
    assert.equal(await file(`${passphrase}\n`), passphrase);
    assert.equal(await file(` ${passphrase}`), ` ${passphrase}`);
    const bad = { code: "CONFIG_INVALID" };
    await assert.rejects(file(passphrase, 0o640), bad);
    await assert.rejects(file("short\n"), bad);
    await assert.rejects(passphraseFromFile(join(place.folder, "missing")), bad);
  });
});
