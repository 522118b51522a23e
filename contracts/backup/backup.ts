import * as z from "zod";
import { rowId } from "../formats/row-id.ts";

export const backupId = rowId.describe("as system_backup_list answers");

/** A backup on record. The file itself is wherever it was put. */
export const backupView = z.strictObject({
  id: z.string(),
  fileName: z.string().describe("as it was called where it was written"),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable().describe("null where it is being written, or was broken off"),
  bytes: z.int().nullable(),
  records: z.int().nullable().describe("rows of all tables"),
  sha256: z.string().nullable().describe("of the file"),
  accounts: z.int().describe("accounts whose keys it needs"),
  retiredAt: z.iso.datetime().nullable().describe("somebody said that the file is destroyed"),
});
export type BackupView = z.output<typeof backupView>;
