import type { Page, PageRequest } from "../page.ts";

/** A backup that was begun, of the whole hub; its row is in the hub's own account. */
export interface BackupRow {
  readonly id: string;
  /** As it was called where it was written. */
  readonly fileName: string;
  readonly createdAt: Date;
  /** Absent where it is being written, or was broken off. */
  readonly finished:
    | { readonly at: Date; readonly bytes: number; readonly records: number; readonly digest: string }
    | undefined;
  readonly retiredAt: Date | undefined;
  /** Whose keys it needs. */
  readonly accounts: number;
}

export interface BackupReader {
  byId(id: string): Promise<BackupRow | undefined>;
  /** Newest first. */
  list(page: PageRequest): Promise<Page<BackupRow>>;
}

export interface BackupWriter {
  /** False where it was retired before. */
  retire(id: string, by: { readonly by: string; readonly at: Date }): Promise<boolean>;
}
