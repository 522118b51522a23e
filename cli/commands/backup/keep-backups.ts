import * as z from "zod";
import { backupView } from "../../../contracts/backup/backup.ts";
import { type CliContext, connectedHub } from "../../context.ts";
import { runWithConsent } from "../../run-with-consent.ts";
import { printable, table } from "../../terminal.ts";

const page = z.object({ items: z.array(backupView), next: z.string().optional() });

/** All backups on record, newest first, as the hub tells them. */
export async function listBackups(context: CliContext): Promise<void> {
  const hub = connectedHub(context);
  const items: z.output<typeof backupView>[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items: more, next } = await hub.output(page, "system_backup_list", {
      limit: 200,
      ...(cursor !== undefined && { cursor }),
    });
    items.push(...more);
    if (next === undefined) break;
    cursor = next;
  }
  context.terminal.show({ items }, () => listText(items));
}

function listText(items: readonly z.output<typeof backupView>[]): string {
  if (items.length === 0) return "No backups yet.";
  const shown = table([
    ["Backup", "File", "Begun", "Bytes", "State"],
    ...items.map(({ id, fileName, createdAt, bytes, finishedAt, retiredAt }) => [
      ...[id, fileName, createdAt, bytes === null ? "" : String(bytes)],
      retiredAt !== null ? "retired" : finishedAt !== null ? "kept" : "unfinished",
    ]),
  ]);
  if (!items.some(({ finishedAt, retiredAt }) => finishedAt === null && retiredAt === null)) return shown;
  return `${shown}\n\nUnfinished: it is being written, or its command was killed. Then the next backup to the same file takes away\nwhat was left and retires it; or say so yourself: npx countersign backup retire <id>`;
}

/** Says that the file is destroyed. */
export async function retireBackup(context: CliContext, id: string, { yes }: { readonly yes?: true }): Promise<void> {
  const hub = connectedHub(context);
  const consent = { ...(yes && { yes }) };
  const output = await runWithConsent(context, hub, "system_backup_retire", { backupId: id }, consent);
  if (!output) return;
  const { backup } = z.object({ backup: backupView }).parse(output);
  context.terminal.show(backup, () =>
    printable(`Backup ${backup.id} (${backup.fileName}) is retired: no rotation waits for it any more.`),
  );
}
