import { publicKeyFromDer, publicKeyToPem } from "../../../contracts/formats/ed25519.ts";
import { HUB_PRINCIPAL_NAME } from "../../../contracts/identity/principal.ts";
import { isSetUp } from "../../../prisma/migrate.ts";
import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import { dedicatedClient } from "../../../server/adapters/postgres/dedicated-client.ts";
import { identityStore } from "../../../server/adapters/postgres/identity-store.ts";
import { checkRuntimeRole } from "../../../server/adapters/postgres/runtime-role.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { KEY_NAMES, type KeyService } from "../../../server/domain/keys/key-service.ts";
import { HubError } from "../../../server/errors.ts";
import { QUEUES } from "../../../server/jobs/queues.ts";
import { openKeyService, openRootKeys } from "../../../server/open-key-service.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { type Client, type Logins, openLogins } from "../doctor/open-logins.ts";

/** An account as who runs the hub finds it, in the database as it is. */
export interface FoundAccount extends AsyncDisposable {
  readonly id: string;
  readonly hubId: string;
  /** Under the runtime role. */
  readonly database: Database;
  /** A connection for the journal's own use. */
  readonly connect: () => ReturnType<typeof dedicatedClient>;
  /** In whose name the hub itself acts there. */
  readonly hubPrincipalId: string;
}

/** One in the hands of who holds the hub's root key, or may sign in where its keys are. */
export interface RecoverableAccount extends FoundAccount {
  readonly keys: KeyService;
  /** SPKI PEM. */
  readonly rootKey: string;
}

/** One in the hands of the owner of the tables, who can change it and cannot sign. */
export interface NotableAccount extends FoundAccount {
  /** Signed in as the owner. */
  readonly owner: Client;
}

/**
 * Opens the database as it is, under the runtime role, and the account's keys with the root key. Whoever cannot open those
 * gets nothing: not with a login of the runtime role either, since nothing could be recorded.
 * @param accountId the hub's own account where absent
 * @throws HubError CONFIG_INVALID, KEY_SERVICE_* (no root key, or another hub's), NOT_FOUND, DATABASE_*
 */
export async function openAccount(config: Config, secrets: Secrets, accountId?: string): Promise<RecoverableAccount> {
  await using opening = new AsyncDisposableStack();
  const keySetup = { config, create: false, askPassphrase: askForPassphrase };
  // before the database is opened: without it there is nothing to do there
  if (config.keys.kind === "embedded") await openRootKeys(keySetup);
  const found = opening.use(await findAccount(config, secrets, accountId));
  const { id, database } = found;
  const { keys } = opening.use(await openKeyService({ ...keySetup, database }));
  // of all keys, before anything is asked: this is what the root key proves itself by
  const metadata = await Promise.all(KEY_NAMES.map((name) => keys.metadata(id, name)));
  const der = metadata.find(({ name }) => name === "root")?.versions.at(-1)?.publicKey;
  if (!der) throw new Error("cannot happen: an account whose root key has no public half");
  const rooms = opening.move();
  const rootKey = publicKeyToPem(publicKeyFromDer(der));
  return { ...found, keys, rootKey, [Symbol.asyncDispose]: () => rooms.disposeAsync() };
}

/**
 * Likewise without the root key, for the owner of the tables.
 * @throws HubError CONFIG_INVALID (no migration URL), NOT_FOUND, DATABASE_*
 */
export async function openAsOwner(config: Config, secrets: Secrets, accountId?: string): Promise<NotableAccount> {
  const { owner, ...found } = await findAccount(config, secrets, accountId);
  if (owner) return { ...found, owner };
  await found[Symbol.asyncDispose]();
  throw new HubError(
    "CONFIG_INVALID",
    "Without the root key this takes the owner of the tables: set COUNTERSIGN_MIGRATION_URL.",
    { path: "COUNTERSIGN_MIGRATION_URL" },
  );
}

async function findAccount(
  config: Config,
  secrets: Secrets,
  accountId: string | undefined,
): Promise<FoundAccount & { readonly owner?: Client }> {
  await using opening = new AsyncDisposableStack();
  const logins = await openLogins(config, secrets);
  if (!logins)
    throw new HubError(
      "CONFIG_INVALID",
      `There is no hub's database in ${config.folders.data}: set COUNTERSIGN_DATA_DIR or DATABASE_URL to where it is.`,
    );
  opening.use(logins);
  await refuseUnfit(logins);
  const login = logins.runtimeLogin;
  const database = opening.adopt(new Database(login, { poolSize: 2 }), (pool) => pool.close());
  const directory = accountDirectory(database);
  const hubId = await directory.hubAccountId();
  const id = accountId ?? hubId;
  if (hubId === undefined || id === undefined || !(await directory.accountIds()).includes(id))
    throw new HubError("NOT_FOUND", "There is no such account in this database.", { path: "account" });
  const hub = await database.read(id, (session) => identityStore(session).principalNamed(HUB_PRINCIPAL_NAME));
  if (!hub) throw new Error("cannot happen: an account without the hub's own principal");
  const rooms = opening.move();
  return {
    ...{ id, hubId, database, hubPrincipalId: hub.id },
    connect: () => dedicatedClient(login, "countersign-recover"),
    ...(logins.owner && { owner: logins.owner }),
    [Symbol.asyncDispose]: () => rooms.disposeAsync(),
  };
}

/** Recovering migrates nothing and mends no role: a start does. */
async function refuseUnfit({ runtime, owner }: Logins): Promise<void> {
  const roleOf = async (client: Logins["runtime"]) =>
    (await client.query<{ role: string }>("select current_user::text as role")).rows[0]?.role ?? "";
  await checkRuntimeRole(runtime, owner && (await roleOf(owner)));
  if (await isSetUp(runtime, await roleOf(runtime), { queues: QUEUES })) return;
  throw new HubError(
    "CONFIG_INVALID",
    "The database is not set up for this version of the hub: start it once. (npx countersign doctor tells more.)",
  );
}
