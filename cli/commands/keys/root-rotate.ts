import { existsSync } from "node:fs";
import { passphraseFromFile } from "../../../server/adapters/embedded-keys/passphrase.ts";
import { protectRootKey } from "../../../server/adapters/embedded-keys/protect-root-key.ts";
import { nextOf, type RootKeyPlace } from "../../../server/adapters/embedded-keys/root-key-ring.ts";
import { rotateRootKey } from "../../../server/adapters/embedded-keys/rotate-root-key.ts";
import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import { rewrapEveryKey } from "../../../server/adapters/postgres/key-rewrap.ts";
import type { Config } from "../../../server/config/config.ts";
import { HubError } from "../../../server/errors.ts";
import type { CliContext } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { askForPassphrase, promptHidden } from "../../hidden-prompt.ts";
import { printable } from "../../terminal.ts";
import { openLogins } from "../doctor/open-logins.ts";

/** Replaces the hub's root key and wraps all keys of all accounts anew, beside running hubs and without. */
export async function rotateRootCommand(context: CliContext, options: { yes?: true }): Promise<void> {
  const { terminal, config, secrets } = context;
  const place = rootKeyPlace(config);
  await using opening = new AsyncDisposableStack();
  const logins = await openLogins(config, secrets);
  if (!logins) {
    throw new HubError(
      "CONFIG_INVALID",
      `There is no hub's database in ${config.folders.data}: nothing is wrapped yet.`,
    );
  }
  opening.use(logins);
  const database = opening.adopt(
    new Database(logins.runtimeLogin, { poolSize: 2, statementTimeoutMs: 120_000 }),
    (pool) => pool.close(),
  );
  const hubAccountId = await accountDirectory(database).hubAccountId();
  if (hubAccountId === undefined)
    throw new HubError("CONFIG_INVALID", "The database has no account: start the hub once.");
  const resumes = existsSync(nextOf(place.path));
  terminal.note(
    resumes
      ? `Goes on with the rotation that did not come to its end: ${printable(nextOf(place.path))}.`
      : `Makes a new root key in place of ${printable(place.path)}, and wraps every account's keys under it.`,
  );
  if (!options.yes && !(await terminal.confirm("Do it?"))) {
    throw new HubError("CONFIRMATION_DECLINED", "Nothing was changed. (Where nobody can be asked, --yes does it.)");
  }
  const rotated = await rotateRootKey({
    place,
    rewrapAll: (rewrap) => rewrapEveryKey(database, hubAccountId, rewrap),
    now: () => new Date(),
  });
  const { rewrapped, spoilt, oldKeyFile } = rotated;
  if (spoilt.length > 0) context.exitCode = EXIT.unverified;
  terminal.show(rotated, () =>
    printable(
      [
        `Wrapped ${rewrapped} key versions under the new root key. Back up ${place.path} now.`,
        `The old one is ${oldKeyFile}: backups of the database from before need it; delete it with the last of them.`,
        ...spoilt.map(
          ({ accountId, keyName, version }) =>
            `Version ${version} of the key ${keyName} of account ${accountId} opens with neither key; it was left as it is.`,
        ),
      ].join("\n"),
    ),
  );
}

/** Puts the root key under a passphrase, under another, or under none. */
export async function protectRootCommand(context: CliContext, options: { remove?: true }): Promise<void> {
  const { terminal, config } = context;
  const { path, dataFolder } = rootKeyPlace(config);
  const file = config.keys.kind === "embedded" ? config.keys.passphraseFile : undefined;
  const passphrase = options.remove
    ? undefined
    : file === undefined
      ? await newPassphrase()
      : await passphraseFromFile(file);
  // the file has the new passphrase; the one that is still in force is asked for
  await protectRootKey(
    { path, dataFolder, passphrase: () => currentPassphrase(options.remove ? file : undefined) },
    passphrase,
  );
  terminal.show({ path, protected: passphrase !== undefined }, () =>
    printable(
      passphrase === undefined
        ? `${path} holds the key in the clear now. Unset COUNTERSIGN_ROOT_PASSPHRASE_FILE.`
        : `${path} opens with the new passphrase alone. Copies of the file open with what they were made with.`,
    ),
  );
}

function currentPassphrase(file: string | undefined): Promise<string> {
  return file === undefined ? askForPassphrase() : passphraseFromFile(file);
}

async function newPassphrase(): Promise<string> {
  const [one, other] = [await promptHidden("New passphrase"), await promptHidden("Once more")];
  if (one === other) return one;
  throw new HubError("INPUT_INVALID", "These were two different passphrases. Nothing was changed.");
}

function rootKeyPlace({ keys, folders }: Config): RootKeyPlace {
  if (keys.kind !== "embedded") {
    throw new HubError("CONFIG_INVALID", "This hub's keys are in Vault: there is no root key of its own.");
  }
  const { passphraseFile } = keys;
  return {
    path: folders.rootKeyFile,
    dataFolder: folders.data,
    passphrase: passphraseFile === undefined ? askForPassphrase : () => passphraseFromFile(passphraseFile),
  };
}
