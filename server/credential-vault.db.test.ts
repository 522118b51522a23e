/** Stored credentials of a hub whose keys are in Vault: the same, and closed while that is. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT_TOKEN, VaultServer } from "./adapters/vault/vault-server.fixture.ts";
import { CredentialsFixture, PASSWORD, submit } from "./credentials.fixture.ts";
import { eventually } from "./test-hub.ts";

test("sealed under Vault's key, used, refused while Vault is sealed, and used again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-vault-"));
  await using vault = await VaultServer.open();
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, ROOT_TOKEN, { mode: 0o600 });
  await using all = await CredentialsFixture.open({
    COUNTERSIGN_KEYS: "vault",
    COUNTERSIGN_VAULT_ADDR: vault.address,
    COUNTERSIGN_VAULT_TOKEN_FILE: tokenFile,
  });
  rmSync(folder, { recursive: true });
  const { git } = all;
  await all.ready("forge");
  const { claim } = await all.store("later");
  await git.register("vault", all.privateRepository("vault"), { credential: "forge" });
  assert.equal((await git.sync("vault")).status, "success");
  const [row] = await git.hubs.sql<{ wrapped_key: string }>("select wrapped_key from credential where name = 'forge'");
  assert.match(row?.wrapped_key ?? "", /^vault:v1:/);

  vault.sealed = true;
  assert.equal((await submit(claim.link, PASSWORD)).status, 503);
  await assert.rejects(git.operator.call("system_credentials_test", { name: "forge" }), { code: "KEY_SERVICE_SEALED" });
  vault.sealed = false;
  await eventually("readiness", async () => ((await fetch(git.hub.at("/readyz"))).status === 200 ? true : undefined));
  assert.equal((await all.metadata("later")).state, "waiting");
  assert.equal((await submit(claim.link, PASSWORD)).status, 200);
  await git.operator.done("system_credentials_test", { name: "later" });
});
