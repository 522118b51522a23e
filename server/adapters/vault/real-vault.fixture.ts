import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { v7 } from "uuid";
import { readEnv } from "../../config/env.ts";
import { createEgress } from "../egress/egress.ts";
import { VaultClient } from "./vault-client.ts";
import { VaultKeyService } from "./vault-key-service.ts";
import type { VaultSettings } from "./vault-settings.ts";

interface Place {
  readonly address: string;
  readonly token: string;
}

/** What a test says that is skipped for want of a server. */
export const NO_REAL_VAULT =
  "COUNTERSIGN_TEST_VAULT_ADDR and COUNTERSIGN_TEST_VAULT_TOKEN name no server to test against";

/** The Vault or OpenBao that the two variables name. */
export function realVault(): Place | undefined {
  const { COUNTERSIGN_TEST_VAULT_ADDR: address, COUNTERSIGN_TEST_VAULT_TOKEN: token } = readEnv();
  return address === undefined || token === undefined ? undefined : { address, token: token.reveal() };
}

/**
 * For tests: a place on a real Vault or OpenBao. Where its token may, that is a transit engine of its own and a token with
 * the policy that docs/KEYS.md prints, both gone afterwards; else the engine at `transit` and the token itself, with which
 * the keys of the accounts in `accounts` are deleted.
 */
export class RealVault implements AsyncDisposable {
  readonly settings: VaultSettings & { readonly auth: { readonly tokenFile: string } };
  /** Whose keys are deleted where the engine stays. */
  readonly accounts: string[] = [];
  readonly #place: Place;
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-real-vault-"));
  readonly #own: boolean;
  readonly #clients: VaultClient[] = [];

  private constructor(place: Place, mount: string, token: string) {
    this.#place = place;
    this.#own = mount !== "transit";
    const tokenFile = join(this.#folder, "token");
    writeFileSync(tokenFile, token, { mode: 0o600 });
    this.settings = { address: new URL(place.address).origin, mount, auth: { method: "token", tokenFile } };
  }

  static async open(place: Place): Promise<RealVault> {
    const own = `countersign-test-${v7()}`;
    if (!(await ask(place, "POST", `sys/mounts/${own}`, { type: "transit" })).ok) {
      return new RealVault(place, "transit", place.token);
    }
    const stated = await ask(place, "PUT", `sys/policies/acl/${own}`, { policy: documentedPolicy(own) });
    assert.ok(stated.ok, "who may mount an engine may write its policy");
    const made = await ask(place, "POST", "auth/token/create", { policies: [own], no_default_policy: true, ttl: "1h" });
    const { auth } = (await made.json()) as { auth: { client_token: string } };
    return new RealVault(place, own, auth.client_token);
  }

  async service(): Promise<VaultKeyService> {
    const egress = createEgress({ allow: [new URL(this.settings.address).hostname] });
    const client = await VaultClient.open(this.settings, { egress });
    this.#clients.push(client);
    return new VaultKeyService(client, this.settings.mount);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#own) await this.#unmount();
    else await this.#deleteKeys();
    for (const client of this.#clients) client[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true });
  }

  async #unmount(): Promise<void> {
    const { mount, auth } = this.settings;
    await ask(this.#place, "POST", "auth/token/revoke", { token: readFileSync(auth.tokenFile, "utf8") });
    for (const path of [`sys/policies/acl/${mount}`, `sys/mounts/${mount}`]) {
      assert.ok((await ask(this.#place, "DELETE", path)).ok, path);
    }
  }

  async #deleteKeys(): Promise<void> {
    const service = await this.service();
    for (const account of this.accounts) {
      for (const name of await service.list(account)) {
        await service.configure(account, name, { deletionAllowed: true });
        await service.delete(account, name);
      }
    }
  }
}

function ask({ address, token }: Place, method: string, path: string, body?: object): Promise<Response> {
  return fetch(new URL(`/v1/${path}`, address), {
    method,
    headers: { "x-vault-token": token },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** As the page prints it, for an engine that is mounted elsewhere. */
function documentedPolicy(mount: string): string {
  const page = readFileSync(new URL("../../../docs/KEYS.md", import.meta.url), "utf8");
  const [, policy] = /```hcl\n(path "transit[^`]+)```/.exec(page) ?? [];
  assert.ok(policy, "docs/KEYS.md has a policy for the hub");
  return policy.replaceAll('"transit/', `"${mount}/`);
}
