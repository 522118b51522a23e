/** A rotation of keys in Vault, which goes away in the middle of a batch, is sealed, and comes back. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TestVault } from "./adapters/vault/vault.fixture.ts";
import { ROOT_TOKEN } from "./adapters/vault/vault-server.fixture.ts";
import { RotationFixture } from "./rotation.fixture.ts";
import { eventually, TestHubs } from "./test-hub.ts";

async function roomOnVault() {
  const vault = await TestVault.open();
  const hubs = await TestHubs.open();
  const room = new RotationFixture(hubs, await vault.service());
  const folder = join(hubs.home, "vault");
  mkdirSync(folder, { mode: 0o700 });
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, ROOT_TOKEN, { mode: 0o600 });
  const env = {
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: vault.server.address,
    COUNTERSIGN_VAULT_TOKEN_FILE: tokenFile,
  };
  return {
    ...{ room, hubs, server: vault.server, tokenFile },
    start: () => hubs.start(env),
    async [Symbol.asyncDispose]() {
      await room[Symbol.asyncDispose]();
      await vault[Symbol.asyncDispose]();
    },
  };
}

/** What whoever asks for the operation is told, once it has this code in it. */
const sentenceWith = (room: RotationFixture, id: string, code: string) =>
  eventually(`word of ${code}`, async () => {
    const [row] = await room.hubs.sql<{ sentence: string }>("select sentence from operation where id = $1", [id]);
    return row?.sentence.includes(code) ? row.sentence : undefined;
  });

test("Vault dies in the middle of a batch, comes back sealed, is unsealed: the walk waits, says so, and completes", async () => {
  await using t = await roomOnVault();
  const { room, server } = t;
  const hub = await t.start();
  await room.addCredentials(room.hubs.accountId, 900);
  // what Vault takes at a time is less than what the walk begins with
  server.maxJsonStrings = 300;
  const id = await room.rotate(hub);
  await eventually("batch under way", async () => (server.asked("/rewrap/").length > 0 ? true : undefined));
  server.faults.push("hang-up");
  await server.stop();
  const rows = await room.hubs.sql<{ n: number }>("select count(*)::int as n from credential where key_version = 2");
  assert.ok((rows[0]?.n ?? 0) < 900, "it died before the walk was through");
  const sentence = (code: string) => sentenceWith(room, id, code);
  await sentence("KEY_SERVICE_UNREACHABLE");
  server.sealed = true;
  await server.listen();
  await sentence("KEY_SERVICE_SEALED");
  server.sealed = false;
  const rotation = await room.ended(hub, id);
  assert.deepEqual(
    [rotation.state, rotation.rotated, rotation.failed, rotation.remaining],
    ["completed", 900, 0, 0],
    JSON.stringify(rotation),
  );
  assert.deepEqual([...new Set(await room.allOpen())], [2], "and the key was rotated once");
  server.maxJsonStrings = 1_000;
  const { finalization } = await room.finalize(hub, id);
  assert.equal(finalization?.state, "completed", JSON.stringify(finalization));
  await room.allOpen();
});

test("the token expires while its file is being written anew: the walk waits, names no file, and completes", async () => {
  await using t = await roomOnVault();
  const { room, server, tokenFile } = t;
  const hub = await t.start();
  await room.addCredentials(room.hubs.accountId, 900);
  server.maxJsonStrings = 300;
  const id = await room.rotate(hub);
  await eventually("batch under way", async () => (server.asked("/rewrap/").length > 0 ? true : undefined));
  writeFileSync(tokenFile, "");
  server.tokens.delete(ROOT_TOKEN);
  assert.ok(!(await sentenceWith(room, id, "KEY_SERVICE_DENIED")).includes(tokenFile));
  // meanwhile it is looked for by every call, and the log names it once
  await eventually("the file in the log", async () => (hub.log().includes(tokenFile) ? true : undefined));
  server.addToken(ROOT_TOKEN, { ttl: 0, renewable: false });
  writeFileSync(tokenFile, ROOT_TOKEN);
  const rotation = await room.ended(hub, id);
  assert.deepEqual(
    [rotation.state, rotation.rotated, rotation.failed, rotation.remaining],
    ["completed", 900, 0, 0],
    JSON.stringify(rotation),
  );
  assert.deepEqual([...new Set(await room.allOpen())], [2]);
  const told = await room.hubs.sql<{ row: string }>("select to_jsonb(r)::text as row from receipt r");
  assert.ok(told.every(({ row }) => !row.includes(tokenFile)));
});
