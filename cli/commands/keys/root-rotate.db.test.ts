import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand, ScratchHub } from "../../scratch-hub.fixture.ts";

test("the root key is replaced beside a running hub, put under a passphrase, and started with it", async () => {
  await using hub = await ScratchHub.open();
  const keys = join(hub.path, "config", "hub");
  const old = readFileSync(join(keys, "root.key"), "latin1");
  const whoami = async () => assert.equal((await hub.run("call", "system_identity_whoami")).code, 0);

  const declined = await hub.run("keys", "root", "rotate");
  assert.equal(declined.code, 3); // nobody sits there to agree
  const rotated = await hub.run("--json", "keys", "root", "rotate", "--yes");
  assert.equal(rotated.code, 0, rotated.err);
  const told = JSON.parse(rotated.out) as { rewrapped: number; resumed: boolean; oldKeyFile: string };
  assert.deepEqual([told.rewrapped, told.resumed], [3, false]);
  assert.equal(readFileSync(told.oldKeyFile, "latin1"), old);
  assert.notEqual(readFileSync(join(keys, "root.key"), "latin1"), old);
  assert.equal(readdirSync(keys).length, 2);
  await whoami();
  const journal = await hub.run("journal", "verify", "--remote");
  assert.equal(journal.code, 0, journal.err);
  await hub.stop();
  await hub.start();
  await whoami();
  await hub.stop();

  const passphraseFile = join(hub.path, "passphrase");
  writeFileSync(passphraseFile, "correct horse battery staple\n", { mode: 0o600 });
  const env = { ...hub.env, COUNTERSIGN_ROOT_PASSPHRASE_FILE: passphraseFile };
  const early = await runCommand(env, ["doctor"]);
  assert.equal(early.code, 1); // a passphrase that protects nothing is told
  assert.equal((await runCommand(env, ["keys", "root", "protect"])).code, 0);
  assert.match(readFileSync(join(keys, "root.key"), "latin1"), /^countersign-root-key-v1 scrypt /);
  await assert.rejects(hub.start(), { code: "CONFIG_INVALID" });
  Object.assign(hub.env, { COUNTERSIGN_ROOT_PASSPHRASE_FILE: passphraseFile });
  await hub.start();
  await whoami();
  assert.equal((await hub.run("doctor")).code, 0);
  assert.equal((await hub.run("keys", "root", "rotate", "--yes")).code, 0);
  assert.match(readFileSync(join(keys, "root.key"), "latin1"), /^countersign-root-key-v1 scrypt /);
  await whoami();
  assert.equal((await hub.run("keys", "root", "protect", "--remove")).code, 0);
  assert.match(readFileSync(join(keys, "root.key"), "latin1"), /^[A-Za-z0-9+/]{43}=\n$/);
  await hub.stop();
});
