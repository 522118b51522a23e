import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEgress } from "../egress/egress.ts";
import { VaultClient, type VaultClientOptions } from "./vault-client.ts";
import { VaultKeyService } from "./vault-key-service.ts";
import { ROOT_TOKEN, VaultServer } from "./vault-server.fixture.ts";
import type { VaultSettings } from "./vault-settings.ts";

/** For tests: a Vault server, and clients of it that do not wait between their tries. */
export class TestVault implements AsyncDisposable {
  readonly server: VaultServer;
  readonly folder = mkdtempSync(join(tmpdir(), "countersign-vault-"));
  readonly pauses: number[] = [];
  readonly #clients: VaultClient[] = [];

  private constructor(server: VaultServer) {
    this.server = server;
  }

  static async open(tls?: Parameters<typeof VaultServer.open>[0]): Promise<TestVault> {
    return new TestVault(await VaultServer.open(tls));
  }

  /** A file that this user alone reads. */
  file(name: string, content: string, mode = 0o600): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode });
    return path;
  }

  settings(changes: Partial<VaultSettings> = {}): VaultSettings {
    const tokenFile = this.file("root-token", `${ROOT_TOKEN}\n`);
    return { address: this.server.address, mount: "transit", auth: { method: "token", tokenFile }, ...changes };
  }

  async client(changes: Partial<VaultSettings> = {}, options: Partial<VaultClientOptions> = {}): Promise<VaultClient> {
    const settings = this.settings(changes);
    const client = await VaultClient.open(settings, {
      egress: createEgress({ allow: [new URL(settings.address).hostname] }),
      pause: async (ms) => void this.pauses.push(ms),
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  async service(
    changes: Partial<VaultSettings> = {},
    options: Partial<VaultClientOptions> = {},
  ): Promise<VaultKeyService> {
    return new VaultKeyService(await this.client(changes, options), changes.mount ?? "transit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }
}
