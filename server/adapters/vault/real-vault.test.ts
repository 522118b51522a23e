/**
 * The contract of key services against a real Vault or OpenBao: where COUNTERSIGN_TEST_VAULT_ADDR and
 * COUNTERSIGN_TEST_VAULT_TOKEN name one, under the policy that docs/KEYS.md prints.
 */
import { test } from "node:test";
import { v7 } from "uuid";
import { keyServiceContract } from "../../domain/keys/key-service.contract.ts";
import { NO_REAL_VAULT, RealVault, realVault } from "./real-vault.fixture.ts";

const place = realVault();

if (place === undefined) {
  test("the contract over a real Vault or OpenBao", { skip: NO_REAL_VAULT });
} else {
  keyServiceContract("a real server", async () => {
    const vault = await RealVault.open(place);
    const accounts = [v7(), v7()] as const;
    vault.accounts.push(...accounts);
    const services = await Promise.all(Array.from({ length: 8 }, () => vault.service()));
    return {
      open() {
        const service = services.shift();
        if (service === undefined) throw new Error("the test opens more services than were made for it");
        return service;
      },
      accounts,
      [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose](),
    };
  });
}
