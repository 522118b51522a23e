import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { v7 } from "uuid";
import type { BackupKeyLine } from "../../../contracts/backup/manifest.ts";
import { EmbeddedKeyService } from "../../../server/adapters/embedded-keys/embedded-key-service.ts";
import { FakeKeyStore } from "../../../server/adapters/embedded-keys/fake-key-store.ts";
import { HubError } from "../../../server/errors.ts";
import { examineKeys } from "./examine-keys.ts";
import { keyLines } from "./key-lines.ts";

const account = v7();
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-key-lines-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const newKeys = () => new EmbeddedKeyService(createSecretKey(randomBytes(32)), new FakeKeyStore());
const WRAPPED_UNDER = (version: number) => new Map([[account, version]]);

async function examine(lines: readonly BackupKeyLine[], keys: EmbeddedKeyService, keyVersions = WRAPPED_UNDER(1)) {
  const file = join(folder, "keys.jsonl");
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const found = await Array.fromAsync(examineKeys(file, keys, keyVersions));
  return found.map((finding) => finding?.code ?? "OK");
}

/** Two keys, each of its type, and what a backup says of them. */
async function backedUp() {
  const keys = newKeys();
  await keys.create(account, "data");
  await keys.rotate(account, "data");
  await keys.create(account, "root");
  const lines = (await keyLines(keys, account)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(
    lines.map(({ name, type, latestVersion }) => [name, type, latestVersion]),
    [
      ["data", "aes256-gcm96", 2],
      ["root", "ed25519", 1],
    ],
  );
  return { keys, lines };
}

test("keys that are as they were hold, and so do those that went on since", async () => {
  const { keys, lines } = await backedUp();
  assert.deepEqual(await examine(lines, keys), ["OK", "OK"]);
  await keys.rotate(account, "data");
  await keys.rotate(account, "root");
  assert.deepEqual(await examine(lines, keys), ["OK", "OK"]);
});

test("a version that was put out of use is missed where something is under it, and there alone", async () => {
  const { keys, lines } = await backedUp();
  await keys.configure(account, "data", { minEncryptionVersion: 2, minDecryptionVersion: 2 });
  assert.deepEqual(await examine(lines, keys, WRAPPED_UNDER(1)), ["KEY_VERSION_TOO_OLD", "OK"]);
  assert.deepEqual(await examine(lines, keys, WRAPPED_UNDER(2)), ["OK", "OK"]);
  assert.deepEqual(await examine(lines, keys, new Map()), ["OK", "OK"], "nothing is under it");
  await keys.rotate(account, "root");
  await keys.configure(account, "root", { minDecryptionVersion: 2 });
  assert.deepEqual(await examine(lines, keys, WRAPPED_UNDER(2)), ["OK", "KEY_VERSION_TOO_OLD"]);
});

test("a key that is not there, older than it was, or another one is told", async () => {
  const { lines } = await backedUp();
  assert.deepEqual(await examine(lines, newKeys()), ["KEY_NOT_FOUND", "KEY_NOT_FOUND"]);
  const other = newKeys();
  await other.create(account, "data");
  await other.create(account, "root");
  assert.deepEqual(await examine(lines, other), ["KEY_NOT_FOUND", "PROOF_INVALID"]);
  const swapped = lines.map((line) => ({ ...line, type: "hmac", publicKeys: {} }));
  assert.deepEqual(await examine(swapped, other), ["KEY_TYPE_MISMATCH", "KEY_TYPE_MISMATCH"]);
});

test("a key service that does not answer is no finding about the backup", async () => {
  const { keys, lines } = await backedUp();
  keys.metadata = () => Promise.reject(new HubError("KEY_SERVICE_SEALED", "sealed"));
  await assert.rejects(examine(lines, keys), { code: "KEY_SERVICE_SEALED" });
});
