import { basename, resolve } from "node:path";
import { v7 } from "uuid";
import packageJson from "../../../package.json" with { type: "json" };
import {
  type ArchiveWriter,
  refuseTaken,
  type WrittenFile,
  writeArchive,
} from "../../../server/adapters/backup-file/archive-writer.ts";
import { openSnapshot, type Snapshot } from "../../../server/adapters/postgres/backup-reader.ts";
import { backupRows } from "../../../server/adapters/postgres/backup-store.ts";
import { crashPoint } from "../../../server/config/crash-point.ts";
import { HubError } from "../../../server/errors.ts";
import { openKeyService } from "../../../server/open-key-service.ts";
import type { CliContext } from "../../context.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { printable } from "../../terminal.ts";
import { typed } from "../../typed.ts";
import { openLogins } from "../doctor/open-logins.ts";
import { counted } from "../gitops/shown-text.ts";
import { openAccount, type RecoverableAccount } from "../recover/open-account.ts";
import { recordChange } from "../recover/record-change.ts";
import { fillArchive } from "./fill-archive.ts";
import { abandonBackup, clearLeftovers, holdWriting, partOf } from "./leftovers.ts";
import { lockFrom } from "./locks.ts";
import { loginOf } from "./login-of.ts";
import { StopSignal } from "./stop-signal.ts";

interface Options {
  readonly recipient?: readonly string[];
  readonly passphraseFile?: string;
}

/**
 * Writes a backup of the whole database. It is on record before there is anything of it, so that what a killed command
 * leaves is known and no rotation puts versions of keys out of use that it holds; and once more when the file has its name.
 */
export async function createBackup(context: CliContext, file: string, options: Options): Promise<void> {
  const { terminal, config, secrets } = context;
  const lock = await lockFrom(options);
  await using account = await openAccount(config, secrets);
  await using logins = await openLogins(config, secrets);
  if (!logins?.owner)
    throw new HubError(
      "CONFIG_INVALID",
      "A backup is read by the owner of the tables: set COUNTERSIGN_MIGRATION_URL.",
      {
        path: "COUNTERSIGN_MIGRATION_URL",
      },
    );
  const owner = loginOf(logins.owner, secrets.migrationUrl);
  const path = resolve(file);
  const id = v7();
  await using _writing = await holdWriting(owner, id);
  // killed between naming the file and removing its part, a command left a whole backup: that one is not cleared
  await refuseTaken(path);
  for (const old of await clearLeftovers({ path, owner, account, log: config.log }))
    terminal.note(`The command that wrote the backup ${old} was killed: what it left is removed, and it is retired.`);
  let held: Held | undefined;
  using bar = terminal.progressBar("now and then");
  using stop = new StopSignal();
  const write = async (archive: ArchiveWriter): Promise<void> => {
    crashPoint("after-intent", "backup_create");
    await using snapshot = await openSnapshot(owner);
    // of the same moment, where they are rows
    const keySetup = { config, create: false, askPassphrase: askForPassphrase };
    using opened = await openKeyService({ ...keySetup, database: snapshot.database });
    const facts = {
      ...{ id, hubId: account.hubId, createdAt: new Date().toISOString(), program: packageJson.version },
      keyService: config.keys.kind,
    };
    const checked: ArchiveWriter = {
      entry(name, content) {
        stop.check();
        return archive.entry(name, content);
      },
    };
    const totals = await fillArchive(checked, { snapshot, keys: opened.keys, facts }, (name, done, total) =>
      bar.show({ done, total, sentence: `Reading the table ${name}.` }),
    );
    crashPoint("during-execution", "backup_create");
    const records = Object.values(totals.tables).reduce((sum, { rows }) => sum + rows, 0);
    held = { keyVersions: snapshot.keyVersions, records };
  };
  const written = await onRecord(context, account, { id, fileName: basename(path) }, () =>
    writeArchive({ path, part: partOf(path, id) }, lock, write),
  );
  if (!held) throw new Error("cannot happen: an archive that nobody filled");
  const receipt = await finish(context, account, { id, written, held });
  const answer = { id, file: path, ...written, records: held.records, receipt };
  terminal.show(answer, () =>
    printable(
      [
        `Backup ${id}: ${counted(held?.records ?? 0, "row")}, ${written.bytes} bytes, in ${path}`,
        `SHA-256 ${written.digest}`,
        config.keys.kind === "vault"
          ? "The keys themselves are in the Vault, which has backups of its own. Keep the two together."
          : "The hub's root key is NOT in it, and without that nothing secret in it opens: keep a copy of the root key file elsewhere.",
        `Prove it: npx countersign backup verify ${typed([file, ...opening(options)])}`,
        `When its file is destroyed: npx countersign backup retire ${id}`,
      ].join("\n"),
    ),
  );
}

interface Held {
  readonly keyVersions: Snapshot["keyVersions"];
  readonly records: number;
}

/** On record before there is anything of it, so that what a killed command leaves is known for its own. */
async function onRecord<T>(
  context: CliContext,
  account: RecoverableAccount,
  backup: { readonly id: string; readonly fileName: string },
  write: () => Promise<T>,
): Promise<T> {
  try {
    await begin(context, account, backup);
    return await write();
  } catch (error) {
    // also where nobody knows whether it was begun; it can be retired by hand
    await abandonBackup(account, context.config.log, backup.id).catch(() => {});
    throw error;
  }
}

function begin({ config }: CliContext, account: RecoverableAccount, backup: { id: string; fileName: string }) {
  return recordChange(account, config.log, {
    action: "backup_begin",
    input: { id: backup.id, fileName: backup.fileName },
    target: { type: "Account", id: account.id },
    effect: async (session) => {
      await backupRows(session).begin(account.id, backup);
      return { id: backup.id };
    },
  });
}

async function finish(
  { config }: CliContext,
  account: RecoverableAccount,
  { id, written, held }: { id: string; written: WrittenFile; held: Held },
) {
  const { receipt } = await recordChange(account, config.log, {
    action: "backup_finish",
    input: { id, ...written, records: held.records },
    target: { type: "Account", id: account.id },
    effect: async (session, { now }) => {
      await backupRows(session).finish(id, { ...written, ...held, at: now });
      return { id, digest: written.digest };
    },
  });
  return receipt;
}

/** What opens it again, as it is typed; a passphrase that was asked for is asked for again. */
function opening({ recipient = [], passphraseFile }: Options): string[] {
  if (recipient.length > 0) return ["--identity-file", "<path>"];
  return passphraseFile === undefined ? [] : ["--passphrase-file", passphraseFile];
}
