import assert from "node:assert/strict";
import { test } from "node:test";
import { TestVault } from "./adapters/vault/vault.fixture.ts";
import { ROOT_TOKEN } from "./adapters/vault/vault-server.fixture.ts";
import type { VaultAuth } from "./adapters/vault/vault-settings.ts";
import { configFrom } from "./config/config.ts";
import { readEnv } from "./config/env.ts";
import type { HubError } from "./errors.ts";
import { openKeyService } from "./open-key-service.ts";

const SECRET = "a secret that opens nothing";

test("a Vault that does not let the hub in is named, with the method and the variables that say with what", async () => {
  await using vault = await TestVault.open();
  vault.server.appRoles.set("role-1", "secret-1");
  vault.server.addToken("hvs.narrow", { may: /^auth/ });
  const open = async (auth: VaultAuth) => {
    const keys = { kind: "vault", vault: { address: vault.server.address, mount: "transit", auth } } as const;
    const config = { ...configFrom(readEnv({})), keys };
    const unused = () => Promise.reject(new Error("keys in Vault are not in the database"));
    using _opened = await openKeyService({ config, database: { read: unused, transact: unused }, create: false });
  };
  const byToken = (token: string) => open({ method: "token", tokenFile: vault.file("token", token) });
  const byRole = (secret: string) =>
    open({ method: "approle", mount: "approle", roleId: "role-1", secretIdFile: vault.file("secret-id", secret) });
  const byJwt = () => open({ method: "jwt", mount: "jwt", role: "hub", jwtFile: vault.file("jwt", SECRET) });

  const told = async (opening: Promise<void>, ...names: readonly string[]) => {
    await assert.rejects(opening, ({ code, message }: HubError) => {
      assert.equal(code, "KEY_SERVICE_DENIED");
      for (const name of [vault.server.address, ...names]) assert.ok(message.includes(name), `${name} in: ${message}`);
      assert.ok(!message.includes(SECRET));
      return true;
    });
  };
  await told(byToken(SECRET), "token", "COUNTERSIGN_VAULT_TOKEN_FILE");
  await told(byRole(SECRET), "approle", "COUNTERSIGN_VAULT_ROLE_ID", "COUNTERSIGN_VAULT_SECRET_ID_FILE");
  await told(byJwt(), "jwt", "COUNTERSIGN_VAULT_JWT_FILE");
  await told(byToken("hvs.narrow"), "docs/KEYS.md");
  await byToken(ROOT_TOKEN);
  await byRole("secret-1");
});
