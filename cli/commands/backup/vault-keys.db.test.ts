/** Backups of a hub whose keys are in Vault: what is there is compared with what the backup needs. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { emptyDatabase } from "../../../server/adapters/postgres/test-database.ts";
import { ROOT_TOKEN, VaultServer } from "../../../server/adapters/vault/vault-server.fixture.ts";
import { ask, moduleNamed, settledRequest, TestHubs, urlOf } from "../../../server/test-hub.ts";
import { runCommand } from "../../scratch-hub.fixture.ts";

test("it is restored beside the Vault that it was made with, and a key that is missing there is told", async () => {
  await using vault = await VaultServer.open();
  await using hubs = await TestHubs.open();
  const folder = join(hubs.home, "vault");
  mkdirSync(folder, { mode: 0o700 });
  const [tokenFile, identityFile, file] = ["token", "identity", "hub.age"].map((name) => join(folder, name));
  writeFileSync(String(tokenFile), ROOT_TOKEN, { mode: 0o600 });
  const identity = await generateX25519Identity();
  writeFileSync(String(identityFile), identity, { mode: 0o600 });
  const env = {
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: vault.address,
    COUNTERSIGN_VAULT_TOKEN_FILE: tokenFile,
  };
  const run = async (verb: string, more: NodeJS.ProcessEnv = {}) => {
    const open =
      verb === "create"
        ? ["--recipient", await identityToRecipient(identity)]
        : ["--identity-file", String(identityFile)];
    const args = ["backup", verb, String(file), ...open, "--json"];
    const { code, err, out } = await runCommand({ ...hubs.env(), ...env, ...more }, args);
    return { code, err, answer: JSON.parse(out) };
  };
  const { ada } = hubs;
  const hub = await hubs.start(env);
  const waiting = await ask(ada.agent(hub), "system_fleet_put_object", { object: moduleNamed("waits") });
  assert.equal((await run("create")).code, 0);
  await hub.stop();
  const verified = await run("verify");
  assert.equal(verified.code, 0, verified.err + JSON.stringify(verified.answer));

  const other = await run("verify", { COUNTERSIGN_KEYS: "embedded" });
  assert.deepEqual([other.answer.error.code, other.answer.error.path], ["CONFIG_INVALID", "COUNTERSIGN_KEYS"]);

  await using there = await emptyDatabase();
  const place = { DATABASE_URL: urlOf(there.runtime), COUNTERSIGN_MIGRATION_URL: urlOf(there.owner) };
  const restored = await run("restore", place);
  assert.deepEqual([restored.code, restored.answer.faults], [0, []], restored.err);
  const again = await hubs.start({ ...env, ...place });
  await ada.decide(again, waiting);
  assert.equal((await settledRequest(ada.operator(again), waiting)).state, "executed");

  const { data = {} } = vault.engine.handle("LIST", "keys", {});
  const name = (data["keys"] as string[]).find((key) => key.endsWith("data"));
  vault.engine.handle("POST", `keys/${name}/config`, { deletion_allowed: true });
  vault.engine.handle("DELETE", `keys/${name}`, {});
  const { code, answer } = await run("verify");
  assert.equal(code, 6);
  assert.deepEqual(
    answer.findings.map(({ what, code: fault }: { what: string; code: string }) => [what, fault]),
    [["key data", "KEY_NOT_FOUND"]],
  );
});
