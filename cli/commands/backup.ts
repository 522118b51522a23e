import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { naming } from "../option-names.ts";

const IDENTITY = ["--identity-file <path>", "age's identity of one of its recipients"] as const;
const PASSPHRASE = ["--passphrase-file <path>", "the passphrase is the file's first line"] as const;

interface Unlocking {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
}

const each = (value: string, before: string[] = []): string[] => [...before, value];

export function backupCommand(context: CliContext): Command {
  const command = new Command("backup")
    .description("the whole hub in one encrypted file: make it, prove it, restore it")
    .addHelpText(
      "after",
      `
For who runs the hub: create needs its root key and the login of its tables' owner,
and works beside a running hub and without one. The file is an age file. The root
key is never in it: keep that elsewhere. docs/BACKUP.md has the whole of it.`,
    );
  command
    .command("create <file>")
    .description("write a backup, encrypted for recipients or with a passphrase; it is recorded")
    .option("--recipient <age1...>", "who may open it; several times for several", each)
    .option(...PASSPHRASE)
    .action(async (file: string, options: { recipient?: string[]; passphraseFile?: string }) => {
      const { createBackup } = await import("./backup/create-backup.ts");
      await createBackup(context, file, options);
    });
  command
    .command("verify <file>")
    .description("restore it into a database for one look, and examine all of it; exit code 6 where it does not hold")
    .option(...IDENTITY)
    .option(...PASSPHRASE)
    .action(async (file: string, options: Unlocking) => {
      const { verifyBackup } = await import("./backup/verify-backup.ts");
      await verifyBackup(context, file, options);
    });
  command
    .command("restore <file>")
    .description("restore it into the empty database that the settings name")
    .option("--into <folder>", "an embedded database in this data folder instead")
    .option(...IDENTITY)
    .option(...PASSPHRASE)
    .addHelpText(
      "after",
      `
Until it is through, no hub starts on that database; run again, it goes on.
The hub that the backup was made of must not run any more.`,
    )
    .action(async (file: string, options: Unlocking & { into?: string }) => {
      const { restoreBackup } = await import("./backup/restore-backup.ts");
      await restoreBackup(context, file, options);
    });
  command
    .command("list")
    .description("backups on record, as the hub tells them")
    .action(async () => {
      const { listBackups } = await import("./backup/keep-backups.ts");
      await listBackups(context);
    });
  command
    .command("retire <backupId>")
    .description("say that its file is destroyed: rotations need not wait for it any more")
    .option("-y, --yes", "sign without asking, where your own signature is enough")
    .action(
      naming({ backupId: "<backupId>" }, async (id: string, options: { yes?: true }) => {
        const { retireBackup } = await import("./backup/keep-backups.ts");
        await retireBackup(context, id, options);
      }),
    );
  return command;
}
