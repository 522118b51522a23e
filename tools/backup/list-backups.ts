import * as z from "zod";
import { type BackupView, backupView } from "../../contracts/backup/backup.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listBackups, requireHub } from "../../server/domain/backup/keep-backups.ts";

const COLUMNS = {
  Backup: ({ id }: BackupView) => id,
  File: ({ fileName }: BackupView) => fileName,
  Begun: ({ createdAt }: BackupView) => createdAt,
  State: ({ finishedAt, retiredAt }: BackupView) => (retiredAt ? "retired" : finishedAt ? "kept" : "unfinished"),
};

export const listHubBackups = defineAction({
  name: "system_backup_list",
  title: "List backups",
  description:
    "Lists backups of the hub that are on record, newest first. Until one is retired, rotations keep the versions of keys that it needs. For the hub's own account alone.",
  permission: "system.backup.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject(page),
  output: pageOf(backupView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "No backups yet." : shortTable(COLUMNS, items, next !== undefined),
  handler: async (input, { read, call }) => {
    requireHub(call.caller);
    return listBackups(read, input);
  },
});
