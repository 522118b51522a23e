import { migrate } from "../../../prisma/migrate.ts";
import { Database } from "../../../server/adapters/postgres/database.ts";
import { applyGrants } from "../../../server/adapters/postgres/grants.ts";
import { ownerSession } from "../../../server/adapters/postgres/owner-session.ts";
import { PRIVILEGES } from "../../../server/adapters/postgres/privileges.ts";
import { openKeyService, openRootKeys } from "../../../server/open-key-service.ts";
import type { CliContext } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { askForPassphrase } from "../../hidden-prompt.ts";
import { printable, table } from "../../terminal.ts";
import { type Examination, examineRestored, examineTables } from "./examine-restored.ts";
import { loadBackup, type RestorePlace } from "./load-backup.ts";
import { unlockFrom } from "./locks.ts";
import { underRootKey } from "./other-root-key.ts";
import { openBackup, requireKeyService } from "./read-backup.ts";
import { scratchPlace } from "./restore-place.ts";
import { StopSignal } from "./stop-signal.ts";

interface Options {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
}

/** Restores a backup into a database for this one look, and examines it there; exit code 6 where something does not hold. */
export async function verifyBackup(context: CliContext, file: string, options: Options): Promise<void> {
  const { terminal, config, secrets } = context;
  const keySetup = { config, create: false, askPassphrase: askForPassphrase };
  const unlock = await unlockFrom(options);
  using stop = new StopSignal();
  await using backup = await openBackup(file, unlock, stop.check);
  requireKeyService(backup, config);
  // before anything is restored: without it nothing could be opened
  if (config.keys.kind === "embedded") await openRootKeys(keySetup);
  using bar = terminal.progressBar("now and then");
  await using place = await scratchPlace(config, secrets);
  await loadBackup(place, backup, (name, done, total) =>
    bar.show({ done, total, sentence: `Restoring the table ${name}.` }),
  );
  const { keyVersions, ...tables } = await examineTables(place, backup, stop.check);
  await bringUpToDate(place);
  const database = new Database(place.runtime, { poolSize: 4, statementTimeoutMs: 120_000 });
  try {
    using opened = await openKeyService({ ...keySetup, database });
    const examine = () =>
      examineRestored(database, opened.keys, { backup, keyVersions }, (done, total) => {
        stop.check();
        bar.show({ done, total, sentence: "Examining accounts." });
      });
    const restored = await underRootKey(config, backup.manifest, examine);
    show(context, backup.manifest.id, {
      ...tables,
      ...restored,
      findings: [...tables.findings, ...restored.findings],
    });
  } finally {
    await database.close();
  }
}

/** So that this program reads it, under the runtime role. */
async function bringUpToDate({ owner, runtimeRole }: RestorePlace): Promise<void> {
  await migrate(owner, runtimeRole, { restoring: true });
  const client = await ownerSession(owner);
  try {
    await applyGrants(client, runtimeRole, PRIVILEGES);
  } finally {
    await client.end();
  }
}

function show(context: CliContext, id: string, { findings, ...counts }: Examination): void {
  const ok = findings.length === 0;
  if (!ok) context.exitCode = EXIT.unverified;
  const { terminal } = context;
  terminal.show({ ok, id, ...counts, findings }, () => {
    const checked = table([
      ["Checked", "Count"],
      ["rows, by their tables' digests", String(counts.rows)],
      ["keys: there, and working", String(counts.keys)],
      ["accounts whose journal was walked", String(counts.accounts)],
      ["receipts", String(counts.receipts)],
      ["credentials: open, and the journal's latest", String(counts.opened)],
      ...(counts.waiting > 0 ? [["credentials that wait for their secret", String(counts.waiting)]] : []),
    ]);
    const faults = table([
      ["What", "Account", "Code", ""],
      ...findings.map(({ what, accountId = "", code, sentence }) => [what, accountId, code, sentence]),
    ]);
    const verdict = ok
      ? terminal.style("green", `The backup ${printable(id)} restores, and all of it holds.`)
      : terminal.style("red", `The backup ${printable(id)} does NOT hold.`);
    return ok ? `${checked}\n\n${verdict}` : `${checked}\n\n${faults}\n\n${verdict}`;
  });
}
