import type { BackupView } from "../../../contracts/backup/backup.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { Page, PageRequest } from "../page.ts";
import type { BackupReader, BackupRow, BackupWriter } from "./backup-store.ts";

interface Reads {
  readonly backups: BackupReader;
}
interface Writes {
  readonly backups: BackupReader & BackupWriter;
}

/** Backups are of all accounts. Throws FORBIDDEN outside of the hub's own. */
export function requireHub({ account }: { readonly account: { readonly isHub: boolean } }): void {
  if (!account.isHub) throw new HubError("FORBIDDEN", "Backups are the business of the hub's own account alone.");
}

export async function listBackups({ backups }: Reads, page: PageRequest): Promise<Page<BackupView>> {
  const { items, ...rest } = await backups.list(page);
  return { ...rest, items: items.map(viewOf) };
}

/** Throws NOT_FOUND, CONFLICT where it was retired before. */
async function backupToRetire({ backups }: Reads, id: string): Promise<BackupView> {
  const row = await backups.byId(id);
  if (!row) throw new HubError("NOT_FOUND", "There is no such backup on record.", { path: "backupId" });
  if (row.retiredAt) throw new HubError("CONFLICT", "This backup is retired already.", { path: "backupId" });
  return viewOf(row);
}

/** What a person decides about. Throws NOT_FOUND, CONFLICT. */
export async function previewRetire(read: Reads, id: string, asker: string): Promise<Preview> {
  const { fileName, createdAt, sha256, accounts } = await backupToRetire(read, id);
  return {
    headline: `${asker} says that the backup ${fileName} is DESTROYED with all its copies: keys that it needs may go`,
    changes: [
      { field: "begun", before: createdAt },
      { field: "sha256", before: sha256 ?? "never finished" },
      { field: "accounts whose keys it needs", before: String(accounts) },
    ],
  };
}

/** From now on no rotation waits for it. Throws NOT_FOUND, CONFLICT. */
export async function retireBackup(
  tx: Writes,
  id: string,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<BackupView> {
  const before = await backupToRetire(tx, id);
  if (!(await tx.backups.retire(id, { by, at: now })))
    throw new HubError("CONFLICT", "This backup was retired meanwhile.", { path: "backupId" });
  return { ...before, retiredAt: now.toISOString() };
}

function viewOf({ id, fileName, createdAt, finished, retiredAt, accounts }: BackupRow): BackupView {
  return {
    ...{ id, fileName, accounts },
    createdAt: createdAt.toISOString(),
    finishedAt: finished?.at.toISOString() ?? null,
    bytes: finished?.bytes ?? null,
    records: finished?.records ?? null,
    sha256: finished?.digest ?? null,
    retiredAt: retiredAt?.toISOString() ?? null,
  };
}
