import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { HUB_PRINCIPAL_NAME } from "../../../contracts/identity/principal.ts";
import { migrate } from "../../../prisma/migrate.ts";
import { accountDirectory } from "../../../server/adapters/postgres/account-store.ts";
import { openSnapshot } from "../../../server/adapters/postgres/backup-reader.ts";
import { backupRows } from "../../../server/adapters/postgres/backup-store.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import { dedicatedClient } from "../../../server/adapters/postgres/dedicated-client.ts";
import { identityStore } from "../../../server/adapters/postgres/identity-store.ts";
import { ownerSession } from "../../../server/adapters/postgres/owner-session.ts";
import { dropMarker } from "../../../server/adapters/postgres/restore-marker.ts";
import type { Config } from "../../../server/config/config.ts";
import { crashPoint } from "../../../server/config/crash-point.ts";
import { prepareFolders } from "../../../server/config/prepare-folders.ts";
import { HubError } from "../../../server/errors.ts";
import { sendOwedJobs } from "../../../server/jobs/owed-jobs.ts";
import { QUEUES } from "../../../server/jobs/queues.ts";
import { openKeyService, openRootKeys } from "../../../server/open-key-service.ts";
import type { CliContext } from "../../context.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { printable } from "../../terminal.ts";
import { type Recorded, recordChange } from "../recover/record-change.ts";
import { examineKeys, type Finding } from "./examine-keys.ts";
import { loadBackup } from "./load-backup.ts";
import { unlockFrom } from "./locks.ts";
import { underRootKey } from "./other-root-key.ts";
import { type OpenedBackup, openBackup, requireKeyService } from "./read-backup.ts";
import { type OpenPlace, openPlace } from "./restore-place.ts";
import { startLine } from "./start-line.ts";
import { StopSignal } from "./stop-signal.ts";

interface Options {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
  readonly into?: string;
}

/**
 * Restores a backup into an empty database. Rows, then newer migrations, then a receipt of it in the hub's journal, then
 * the jobs that the rows call for: until the last step no hub starts there, and the same command goes on where it was.
 */
export async function restoreBackup(context: CliContext, file: string, options: Options): Promise<void> {
  const { terminal, secrets: own } = context;
  const { config, secrets } = target(context, options.into, own);
  const unlock = await unlockFrom(options);
  const keySetup = { config, create: false, askPassphrase: askForPassphrase };
  using stop = new StopSignal();
  await using backup = await openBackup(file, unlock, stop.check);
  requireKeyService(backup, config);
  // before anything is restored: without it the hub could not use what is
  if (config.keys.kind === "embedded") await openRootKeys(keySetup);
  if (config.database.kind === "embedded") await prepareFolders(config.folders);
  await using place = await openPlace(config, secrets);
  using bar = terminal.progressBar("now and then");
  await loadBackup(place, backup, (name, done, total) =>
    bar.show({ done, total, sentence: `Restoring the table ${name}.` }),
  );
  await migrate(place.owner, place.runtimeRole, { queues: QUEUES, restoring: true });
  const database = new Database(place.runtime, { poolSize: 4 });
  try {
    using opened = await openKeyService({ ...keySetup, database });
    crashPoint("during-execution", "backup_finish_restore");
    const restored = { place, database, keys: opened.keys, backup, file };
    const receipt = await underRootKey(config, backup.manifest, () => recordRestore(config, restored));
    const jobs = await finish(place);
    const faults = await keyFaults(place, backup, opened.keys);
    const { id, createdAt } = backup.manifest;
    terminal.show({ id, createdAt, jobs, faults, receipt }, () =>
      printable(
        [
          `Restored the backup ${id} of ${createdAt}; jobs that go on: ${jobs}. Receipt ${receipt.id}`,
          ...faults.map(({ what, accountId, sentence }) => `  ${what} of the account ${accountId}: ${sentence}`),
          "The hub that it was made of must not run any more: two hubs that go on from one history write two journals.",
          startLine(options.into),
        ].join("\n"),
      ),
    );
  } finally {
    await database.close();
  }
}

/** `into`: an embedded database in that data folder, whatever the configuration names. */
function target({ config }: CliContext, into: string | undefined, secrets: CliContext["secrets"]) {
  if (into === undefined) return { config, secrets };
  const data = resolve(into);
  if (config.folders.rootKeyFile.startsWith(`${data}/`))
    throw new HubError("CONFIG_INVALID", "The root key would lie with the data that it protects.", { path: "into" });
  return {
    config: {
      ...config,
      folders: { ...config.folders, data },
      database: { ...config.database, kind: "embedded" as const },
    },
    secrets: { ...secrets, databaseUrl: undefined, migrationUrl: undefined },
  };
}

interface Restored {
  readonly place: OpenPlace;
  readonly database: Database;
  readonly keys: Parameters<typeof recordChange>[0]["keys"];
  readonly backup: OpenedBackup;
  readonly file: string;
}

/** With it the backup is on record as whole: its own rows, which are older than its end, know it as begun. */
async function recordRestore(
  config: Config,
  { place, database, keys, backup, file }: Restored,
): Promise<Recorded<object>["receipt"]> {
  const hubId = await accountDirectory(database).hubAccountId();
  if (hubId === undefined) throw new HubError("BACKUP_DAMAGED", "The backup holds no account of the hub's own.");
  const hub = await database.read(hubId, (session) => identityStore(session).principalNamed(HUB_PRINCIPAL_NAME));
  if (!hub) throw new HubError("BACKUP_DAMAGED", "The backup holds nobody in whose name the hub acts.");
  // another root key is told here: with it nothing could be recorded, not even that it failed
  if (config.keys.kind === "embedded") await keys.metadata(hubId, "root");
  const account = {
    ...{ id: hubId, hubId, database, keys, hubPrincipalId: hub.id, rootKey: "" },
    connect: () => dedicatedClient(place.runtime, "countersign-restore"),
    [Symbol.asyncDispose]: async () => {},
  };
  const { id, createdAt, migrations } = backup.manifest;
  const made = { ...(await fileFacts(file)), records: recordsOf(backup), keyVersions: await keyVersionsOf(place) };
  const { receipt } = await recordChange(account, config.log, {
    action: "backup_restore",
    input: { backupId: id, createdAt, migration: migrations.at(-1)?.name ?? "" },
    target: { type: "Account", id: hubId },
    effect: async (session, { now }) => {
      await backupRows(session).finish(id, { ...made, at: now });
      return { backupId: id };
    },
  });
  return receipt;
}

async function fileFacts(path: string): Promise<{ bytes: number; digest: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, digest: hash.digest("hex") };
}

const recordsOf = (backup: OpenedBackup): number =>
  Object.values(backup.totals().tables).reduce((sum, { rows }) => sum + rows, 0);

async function keyVersionsOf({ owner }: OpenPlace) {
  await using snapshot = await openSnapshot(owner);
  return snapshot.keyVersions;
}

/** Jobs and the end of the restore commit together. */
async function finish({ owner }: OpenPlace): Promise<number> {
  const client = await ownerSession(owner);
  try {
    await client.query("begin");
    const jobs = await sendOwedJobs(owner, client);
    await dropMarker(client);
    await client.query("commit");
    return jobs;
  } finally {
    await client.end();
  }
}

async function keyFaults({ owner }: OpenPlace, { keysFile }: OpenedBackup, keys: Restored["keys"]): Promise<Finding[]> {
  await using snapshot = await openSnapshot(owner);
  const faults: Finding[] = [];
  for await (const fault of examineKeys(keysFile, keys, snapshot.keyVersions)) if (fault) faults.push(fault);
  return faults;
}
