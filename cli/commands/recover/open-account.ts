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
import { type Logins, openLogins } from "../doctor/open-logins.ts";

/** An account in the hands of who holds the hub's root key, or may sign in where its keys are. */
export interface RecoverableAccount extends AsyncDisposable {
  readonly id: string;
  readonly hubId: string;
  readonly database: Database;
  readonly keys: KeyService;
  /** A connection for the journal's own use. */
  readonly connect: () => ReturnType<typeof dedicatedClient>;
  /** In whose name the hub itself acts there. */
  readonly hubPrincipalId: string;
  /** SPKI PEM. */
  readonly rootKey: string;
}

/**
 * Opens the database as it is, under the runtime role, and the account's keys with the root key. Whoever cannot open those
 * gets nothing: not with a login of the database alone either, since nothing could be recorded.
 * @param accountId the hub's own account where absent
 * @throws HubError CONFIG_INVALID, KEY_SERVICE_* (no root key, or another hub's), NOT_FOUND, DATABASE_*
 */
export async function openAccount(
  { folders, ...config }: Config,
  secrets: Secrets,
  accountId?: string,
): Promise<RecoverableAccount> {
  await using opening = new AsyncDisposableStack();
  const keySetup = { config: { folders, ...config }, create: false, askPassphrase: askForPassphrase };
  // before the database is opened: without it there is nothing to do there
  if (config.keys.kind === "embedded") await openRootKeys(keySetup);
  const logins = await openLogins({ folders, ...config }, secrets);
  if (!logins)
    throw new HubError(
      "CONFIG_INVALID",
      `There is no hub's database in ${folders.data}: set COUNTERSIGN_DATA_DIR or DATABASE_URL to where it is.`,
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
  const { keys } = opening.use(await openKeyService({ ...keySetup, database }));
  // of all keys, before anything is asked: this is what the root key proves itself by
  const metadata = await Promise.all(KEY_NAMES.map((name) => keys.metadata(id, name)));
  const der = metadata.find(({ name }) => name === "root")?.versions.at(-1)?.publicKey;
  if (!der) throw new Error("cannot happen: an account whose root key has no public half");
  const hub = await database.read(id, (session) => identityStore(session).principalNamed(HUB_PRINCIPAL_NAME));
  if (!hub) throw new Error("cannot happen: an account without the hub's own principal");
  const rooms = opening.move();
  return {
    id,
    hubId,
    database,
    keys,
    connect: () => dedicatedClient(login, "countersign-recover"),
    hubPrincipalId: hub.id,
    rootKey: publicKeyToPem(publicKeyFromDer(der)),
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
