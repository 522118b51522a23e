/**
 * The contract of key services against a real Vault or OpenBao: where COUNTERSIGN_TEST_VAULT_ADDR and
 * COUNTERSIGN_TEST_VAULT_TOKEN name one (docs/KEYS.md). It mounts a transit engine of its own where the token may, and else
 * uses the one at `transit`; what it makes there it deletes.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { v7 } from "uuid";
import { readEnv } from "../../config/env.ts";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import type { KeyService } from "../../domain/keys/key-service.ts";
import { createEgress } from "../egress/egress.ts";
import { VaultClient } from "./vault-client.ts";
import { VaultKeyService } from "./vault-key-service.ts";

const { COUNTERSIGN_TEST_VAULT_ADDR: address, COUNTERSIGN_TEST_VAULT_TOKEN: token } = readEnv();

if (address === undefined || token === undefined) {
  test("the contract over a real Vault or OpenBao", {
    skip: "COUNTERSIGN_TEST_VAULT_ADDR and COUNTERSIGN_TEST_VAULT_TOKEN name no server to test against",
  });
} else {
  const folder = mkdtempSync(join(tmpdir(), "countersign-real-vault-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, token.reveal(), { mode: 0o600 });
  const own = `countersign-test-${v7()}`;
  const mounts = (method: string, body?: object) =>
    fetch(new URL(`/v1/sys/mounts/${own}`, address), {
      method,
      headers: { "x-vault-token": token.reveal() },
      ...(body && { body: JSON.stringify(body) }),
    });
  const mount = (await mounts("POST", { type: "transit" })).ok ? own : "transit";
  after(async () => {
    if (mount === own) assert.ok((await mounts("DELETE")).ok);
    rmSync(folder, { recursive: true });
  });

  keyServiceContract("a real server", async () => {
    const accounts = [v7(), v7()] as const;
    const clients = await Promise.all(
      Array.from({ length: 8 }, () =>
        VaultClient.open(
          { address: new URL(address).origin, mount, auth: { method: "token", tokenFile } },
          { egress: createEgress({ allow: [new URL(address).hostname] }) },
        ),
      ),
    );
    const services = clients.map((client) => new VaultKeyService(client, mount));
    return {
      open() {
        const service = services.shift();
        if (service === undefined) throw new Error("the test opens more services than were made for it");
        return service;
      },
      accounts,
      async [Symbol.asyncDispose]() {
        const service = new VaultKeyService(clients[0] as VaultClient, mount);
        for (const account of accounts) await deleteAll(service, account);
        for (const client of clients) client[Symbol.dispose]();
      },
    };
  });
}

async function deleteAll(service: KeyService, account: string): Promise<void> {
  for (const name of await service.list(account)) {
    await service.configure(account, name, { deletionAllowed: true });
    await service.delete(account, name);
  }
}
