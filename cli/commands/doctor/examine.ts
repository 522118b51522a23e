import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import type { Config, Secrets } from "../../../server/config/config.ts";
import { toHubError } from "../../../server/errors.ts";
import { openKeyService } from "../../../server/open-key-service.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { checkDatabase, noDatabase, unreachable } from "./check-database.ts";
import { checkDisk, checkFolders } from "./check-folders.ts";
import { checkPort } from "./check-port.ts";
import { checkGit, checkNode } from "./check-programs.ts";
import { checkRootKey } from "./check-root-key.ts";
import { broken, type Finding, shellWord, sound, unknown } from "./finding.ts";
import { type Logins, openLogins } from "./open-logins.ts";

/** Looks at everything that a hub with these settings stands on; changes nothing. */
export async function examine(config: Config, secrets: Secrets): Promise<Finding[]> {
  const { folders, server, git } = config;
  const machine = [
    checkNode(process.versions.node),
    await checkGit(git.searchPath),
    await checkDisk(folders.data),
    ...checkFolders(folders),
    await checkPort(server, folders.data),
  ];
  return [...machine, ...(await examineDatabase(config, secrets))];
}

async function examineDatabase(config: Config, secrets: Secrets): Promise<Finding[]> {
  const { folders } = config;
  let logins: Logins | undefined;
  try {
    logins = await openLogins(config, secrets);
  } catch (error) {
    return [...unreachable(toHubError(error)), ...(await examineKeys(config))];
  }
  if (!logins) {
    const says = `there is none in ${folders.data} yet: the first start makes it`;
    return [...noDatabase(says), ...(await examineKeys(config, undefined, false))];
  }
  await using opened = logins;
  const findings = await checkDatabase(opened);
  await using stack = new AsyncDisposableStack();
  const database = stack.adopt(new Database(opened.runtimeLogin, { poolSize: 2 }), (pool) => pool.close());
  const account = await accountDirectory(database)
    .hubAccountId()
    // not migrated: that is a finding already
    .catch(() => undefined);
  return [
    ...findings,
    ...(await examineKeys(
      config,
      account === undefined ? undefined : { database, id: account },
      account !== undefined,
    )),
  ];
}

/** The root key, and whether it is the one that the account's keys are wrapped under; or Vault, and whether it has them. */
async function examineKeys(
  config: Config,
  account?: { readonly database: Database; readonly id: string },
  hasAccount?: boolean,
): Promise<Finding[]> {
  const { keys, folders } = config;
  if (keys.kind === "vault") return [await examineVault(config, account)];
  const { finding, key } = await checkRootKey(folders, hasAccount, keys.passphraseFile);
  if (!account || !key) return [finding, unknown("account keys", account ? "without the root key" : "no account yet")];
  try {
    using opened = await openKeyService({
      config,
      database: account.database,
      create: false,
      askPassphrase: askForPassphrase,
    });
    await opened.keys.metadata(account.id, "root");
    return [finding, sound("account keys", "open with this root key")];
  } catch (error) {
    const mend = `install -m 600 <your backup of root.key> ${shellWord(folders.rootKeyFile)}`;
    return [finding, broken("account keys", toHubError(error).message, mend)];
  }
}

/** Signs in to Vault as the hub would, and asks for the account's key. */
async function examineVault(
  config: Config,
  account: { readonly database: Database; readonly id: string } | undefined,
): Promise<Finding> {
  const check = "key service";
  const unused = () => Promise.reject(new Error("cannot happen: keys in Vault are not in the database"));
  const database = account?.database ?? { read: unused, transact: unused };
  try {
    using opened = await openKeyService({ config, database, create: false });
    if (!account) return sound(check, "Vault answers, and lets the hub in");
    await opened.keys.metadata(account.id, "root");
    return sound(check, "Vault answers, and has the account's keys");
  } catch (error) {
    const { code, message } = toHubError(error);
    const address = config.keys.kind === "vault" ? config.keys.vault.address : "";
    const unseal = `bao operator unseal -address=${shellWord(address)}`;
    return broken(check, message, code === "KEY_SERVICE_SEALED" ? unseal : `bao status -address=${shellWord(address)}`);
  }
}
