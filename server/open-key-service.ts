/** The part of the composition root that decides where the accounts' keys are. The command line opens them the same way. */
import { v7 } from "uuid";
import { createEgress } from "./adapters/egress/egress.ts";
import { EmbeddedKeyService } from "./adapters/embedded-keys/embedded-key-service.ts";
import { type AskPassphrase, passphraseFromFile } from "./adapters/embedded-keys/passphrase.ts";
import { openRootKeyFile } from "./adapters/embedded-keys/root-key-file.ts";
import { RootKeyRing } from "./adapters/embedded-keys/root-key-ring.ts";
import type { AccountSessions, Session } from "./adapters/postgres/database.ts";
import { PostgresKeyStore } from "./adapters/postgres/key-store.ts";
import { refusedAtStart } from "./adapters/vault/refused-at-start.ts";
import { VaultClient } from "./adapters/vault/vault-client.ts";
import { VaultKeyService } from "./adapters/vault/vault-key-service.ts";
import type { Config } from "./config/config.ts";
import type { Logger } from "./config/log.ts";
import type { KeyService } from "./domain/keys/key-service.ts";
import { HubError } from "./errors.ts";

export interface OpenKeyServiceOptions {
  readonly config: Pick<Config, "keys" | "folders" | "egress">;
  readonly database: AccountSessions;
  /** Where the database has no account yet: what its keys need is made. */
  readonly create: boolean;
  /** Asks a person; where absent, nobody is there to ask. */
  readonly askPassphrase?: AskPassphrase;
  readonly log?: Pick<Logger, "warn">;
}

export interface OpenedKeyService extends Disposable {
  readonly keys: KeyService;
  /** Keys made in the caller's transaction, where they are in the same database. */
  readonly within: ((session: Session) => KeyService) | undefined;
}

/**
 * Opens the key service that the configuration names, and has it prove itself.
 * @throws HubError CONFIG_INVALID, KEY_SERVICE_UNREACHABLE, KEY_SERVICE_SEALED, KEY_SERVICE_DENIED
 */
export async function openKeyService(options: OpenKeyServiceOptions): Promise<OpenedKeyService> {
  const { config, database } = options;
  if (config.keys.kind === "vault") return openVault(config.keys.vault, options);
  const rootKeys = await openRootKeys(options);
  const here = (session: Session) => {
    const one = <T>(_accountId: string, fn: (own: Session) => Promise<T>) => fn(session);
    return new EmbeddedKeyService(rootKeys, new PostgresKeyStore({ read: one, transact: one }));
  };
  return {
    keys: new EmbeddedKeyService(rootKeys, new PostgresKeyStore(database)),
    within: here,
    [Symbol.dispose]: () => {},
  };
}

/**
 * The root keys in the hub's files; the first start makes one, under the passphrase where a file has one.
 * @throws HubError CONFIG_INVALID, KEY_SERVICE_UNREACHABLE
 */
export async function openRootKeys({
  config: { keys, folders },
  create,
  askPassphrase,
}: Omit<OpenKeyServiceOptions, "database">): Promise<RootKeyRing> {
  const file = keys.kind === "embedded" ? keys.passphraseFile : undefined;
  const passphrase = file === undefined ? askPassphrase : () => passphraseFromFile(file);
  const place = { path: folders.rootKeyFile, dataFolder: folders.data, ...(passphrase && { passphrase }) };
  const mustBeProtected = file !== undefined;
  if (create) {
    await openRootKeyFile({
      ...place,
      create,
      ...(file !== undefined && { protectWith: await passphraseFromFile(file) }),
    });
  }
  return RootKeyRing.open({ ...place, mustBeProtected });
}

async function openVault(
  vault: Extract<Config["keys"], { kind: "vault" }>["vault"],
  { config: { egress }, log }: OpenKeyServiceOptions,
): Promise<OpenedKeyService> {
  const { hostname } = new URL(vault.address);
  const redirectHosts = egress.allow.map((entry) => entry.replace(/:\d+$/, ""));
  const client = await VaultClient.open(
    { ...vault, redirectHosts },
    {
      // its operator named it: it may be anywhere
      egress: createEgress({ allow: [hostname, ...egress.allow] }),
      report: (err) => log?.warn({ err }, "the token for the key service could not be renewed yet"),
    },
  );
  try {
    const keys = new VaultKeyService(client, vault.mount);
    await proves(keys);
    return { keys, within: undefined, [Symbol.dispose]: () => client[Symbol.dispose]() };
  } catch (error) {
    client[Symbol.dispose]();
    throw refusedAtStart(error, vault);
  }
}

/** Before anything depends on it: whether it lets the hub in is told by asking for a key that is not there. */
async function proves(keys: KeyService): Promise<void> {
  await keys.metadata(v7(), "root").catch((error: unknown) => {
    if (!(error instanceof HubError && error.code === "KEY_NOT_FOUND")) throw error;
  });
}
