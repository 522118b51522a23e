import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { v7 } from "uuid";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { KEY_NAMES, type KeyService } from "../../domain/keys/key-service.ts";
import { TestVault } from "./vault.fixture.ts";

keyServiceContract("vault, over the wire", async () => {
  const vault = await TestVault.open();
  // as docs/KEYS.md has the policy: nothing that is asked for here may make a key by itself
  vault.server.addToken("hvs.hub", { creates: false });
  const auth = { method: "token", tokenFile: vault.file("hub-token", "hvs.hub") } as const;
  const services = await Promise.all(Array.from({ length: 8 }, () => vault.service({ auth })));
  return {
    open: () => {
      const service = services.shift();
      if (service === undefined) throw new Error("the test opens more services than were made for it");
      return service;
    },
    accounts: [v7(), v7()],
    [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
  };
});

const message = Buffer.from("message");
/** A name, so that nobody looks for its types: it comes with node-vault. */
const debugging: string = "debug";

async function furnished(): Promise<AsyncDisposable & { vault: TestVault; service: KeyService; account: string }> {
  const vault = await TestVault.open();
  const service = await vault.service();
  const account = v7();
  for (const name of KEY_NAMES) await service.create(account, name);
  return { vault, service, account, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}

suite("keys in Vault", () => {
  test("are made as asked, and never by encrypting", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    const made = vault.server.asked("/keys/").filter(({ method }) => method === "POST");
    assert.deepEqual(
      made.map(({ body }) => JSON.parse(body)),
      [
        { type: "ed25519", derived: false },
        { type: "aes256-gcm96", derived: false },
        { type: "hmac", derived: false, key_size: 32 },
      ],
    );
    // as somebody else deletes it, this one remembers the key: the engine itself would make it anew
    const ciphertext = await service.encrypt(account, "data", message);
    const other = await vault.service();
    await other.configure(account, "data", { deletionAllowed: true });
    await other.delete(account, "data");
    const missing = { code: "KEY_NOT_FOUND" };
    await assert.rejects(service.encryptBatch(account, "data", [{ plaintext: message }]), missing);
    await assert.rejects(service.encrypt(account, "data", message), missing);
    await assert.rejects(service.decrypt(account, "data", ciphertext), missing);
    assert.deepEqual(await other.list(account), ["mac", "root"]);
    await other.create(account, "data");
    assert.match(await service.encrypt(account, "data", message), /^vault:v1:/);
  });

  test("that are gone are told from a policy that refuses, where encrypting may not make them", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.addToken("hvs.hub", { creates: false });
    vault.server.addToken("hvs.no-encrypt", { may: /^transit\/keys/ });
    const as = (token: string) =>
      vault.service({ auth: { method: "token", tokenFile: vault.file(`file-${token}`, token) } });
    const [narrow, refused] = [await as("hvs.hub"), await as("hvs.no-encrypt")];
    await narrow.encrypt(account, "data", message);
    await assert.rejects(refused.encrypt(account, "data", message), { code: "KEY_SERVICE_DENIED" });
    await service.configure(account, "data", { deletionAllowed: true });
    await service.delete(account, "data");
    await assert.rejects(narrow.encrypt(account, "data", message), { code: "KEY_NOT_FOUND" });
  });

  test("of other accounts and of others who use the engine are not listed", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.engine.handle("POST", "keys/somebody-elses", {});
    vault.server.engine.handle("POST", `keys/countersign-${v7()}-data`, {});
    assert.deepEqual(await service.list(account), ["data", "mac", "root"]);
  });

  test("of types that the hub does not use are no keys of its", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.engine.handle("POST", `keys/countersign-${account}-odd`, { type: "chacha20-poly1305" });
    await assert.rejects(service.create(account, "odd", { type: "aes256-gcm96" }), { code: "KEY_TYPE_MISMATCH" });
    await service.create(account, "odd", { type: "chacha20-poly1305" });
  });
});

suite("batches", () => {
  const items = (count: number, length = 10) =>
    Array.from({ length: count }, (_, index) => ({ plaintext: Buffer.alloc(length, index) }));
  const sizes = (vault: TestVault) =>
    vault.server
      .asked("/encrypt/")
      .map(({ body }) => (JSON.parse(body) as { batch_input: unknown[] }).batch_input.length);

  test("are asked for 150 at a time, as OpenBao's limit of 1,000 strings wants it", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    await service.create(account, "derived", { type: "aes256-gcm96", derived: true });
    const bound = items(400).map((item) => ({ ...item, context: message, associatedData: message }));
    assert.ok((await service.encryptBatch(account, "derived", bound)).every(({ ok }) => ok));
    assert.deepEqual(sizes(vault), [150, 150, 100]);
  });

  test("shrink where the server refuses them, and stay so", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.maxJsonStrings = 100; // two an item, one for the batch, two for the type
    assert.ok((await service.encryptBatch(account, "data", items(150))).every(({ ok }) => ok));
    assert.deepEqual(sizes(vault), [150, 75, 38, 38, 38, 36]);
    await service.encryptBatch(account, "data", items(40));
    assert.deepEqual(sizes(vault).slice(6), [38, 2]);
  });

  test("have an item that is too large alone refused alone", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.maxRequestSize = 4096;
    const mixed = [...items(2), ...items(1, 8192), ...items(2)];
    const results = await service.encryptBatch(account, "data", mixed);
    assert.deepEqual(
      results.map((result) => (result.ok ? "OK" : result.error.code)),
      ["OK", "OK", "INPUT_TOO_LARGE", "OK", "OK"],
    );
    await assert.rejects(service.encrypt(account, "data", Buffer.alloc(8192)), { code: "INPUT_TOO_LARGE" });
  });

  test("and values over a limit that the server calls its own fault are too large, and it is not taken to be down", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    vault.server.maxJsonStringLength = 4096;
    for (let time = 0; time < 4; time++) {
      await assert.rejects(service.encrypt(account, "data", Buffer.alloc(8192)), { code: "INPUT_TOO_LARGE" });
    }
    const mixed = [...items(1), ...items(1, 8192), ...items(1)];
    const results = await service.encryptBatch(account, "data", mixed);
    assert.deepEqual(
      results.map((result) => (result.ok ? "OK" : result.error.code)),
      ["OK", "INPUT_TOO_LARGE", "OK"],
    );
  });

  test("of large items are split by their bytes", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    assert.ok((await service.encryptBatch(account, "data", items(5, 3 * 1024 * 1024))).every(({ ok }) => ok));
    assert.deepEqual(sizes(vault), [2, 2, 1]);
  });

  test("that fail on their way are not half an answer", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    await service.encrypt(account, "data", message);
    vault.server.faults.push("hang-up", "hang-up", "hang-up");
    await assert.rejects(service.encryptBatch(account, "data", items(300)), { code: "KEY_SERVICE_UNREACHABLE" });
    assert.equal((await service.encryptBatch(account, "data", items(300))).length, 300);
  });
});

suite("nothing secret", () => {
  const canary = "canary-7c1b9f-plaintext";

  test("is in an error, whatever the server does", async () => {
    await using hub = await furnished();
    const { vault, service, account } = hub;
    const failing: (() => Promise<unknown>)[] = [
      () => service.encrypt(account, "data", Buffer.from(canary)),
      () => service.hmac(account, "mac", Buffer.from(canary)),
      () => service.sign(account, "root", Buffer.from(canary)),
      () => service.encryptBatch(account, "data", [{ plaintext: Buffer.from(canary) }]),
    ];
    const encodings = [canary, Buffer.from(canary).toString("base64"), "hvs."];
    for (const fail of failing) {
      for (const fault of [400, 403, 404, 429, 500, 503, "hang-up"] as const) {
        vault.server.faults.push(fault, ...(fault === 403 ? [] : [fault, fault]));
        const error: unknown = await fail().then(
          () => undefined,
          (rejection: unknown) => rejection,
        );
        vault.server.faults.splice(0);
        await service.metadata(account, "data"); // the breaker hears that it is well
        assert.ok(error instanceof Error, String(fault));
        const shown = inspect(error, { depth: 20, showHidden: true });
        for (const text of encodings) assert.ok(!shown.includes(text), `${fault}: ${shown}`);
      }
    }
  });

  test("of a batch that failed in part is in its errors", async () => {
    await using hub = await furnished();
    const { service, account } = hub;
    const good = await service.encrypt(account, "data", Buffer.from(canary));
    const results = await service.decryptBatch(account, "data", [
      { ciphertext: good },
      { ciphertext: good.replace("v1", "v7") },
    ]);
    const [, bad] = results;
    assert.ok(bad !== undefined && !bad.ok);
    const shown = inspect(bad.error, { depth: 20, showHidden: true });
    assert.ok(!shown.includes(Buffer.from(canary).toString("base64")) && !shown.includes(good));
  });

  test("is written to the process's output by node-vault's debugging", async () => {
    await using hub = await furnished();
    const { service, account } = hub;
    const { default: debug }: { default: { enable(names: string): void; disable(): void } } = await import(debugging);
    const written: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    debug.enable("*");
    process.stderr.write = (chunk: unknown) => written.push(String(chunk)) > 0;
    try {
      await service.encrypt(account, "data", Buffer.from(canary));
    } finally {
      process.stderr.write = write;
      debug.disable();
    }
    const shown = written.join("");
    assert.ok(!shown.includes(canary) && !shown.includes(Buffer.from(canary).toString("base64")), shown);
    assert.ok(!shown.includes("hvs."));
  });
});
