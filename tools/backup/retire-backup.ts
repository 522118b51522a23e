import * as z from "zod";
import { backupId, backupView } from "../../contracts/backup/backup.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { previewRetire, requireHub, retireBackup } from "../../server/domain/backup/keep-backups.ts";

export const retireHubBackup = defineAction({
  name: "system_backup_retire",
  title: "Retire a backup",
  description:
    "Says that the file of a backup is destroyed, with all its copies: from then on rotations may put the versions of keys out of use that it needed. There is no way back. For the hub's own account alone. Usually waits for a person's approval.",
  permission: "system.backup.retire",
  risk: { effect: "destructive", approval: "approve", loosens: false },
  input: z.strictObject({ backupId }),
  output: z.strictObject({ backup: backupView }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  preview: (input, { read, call }) => {
    requireHub(call.caller);
    return previewRetire(read, input.backupId, call.caller.principal.name);
  },
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ backup }) => `Backup ${backup.id} is retired.`,
  handler: async (input, { tx, call }) => {
    requireHub(call.caller);
    return { backup: await retireBackup(tx, input.backupId, { by: call.caller.principal.id, now: call.now }) };
  },
});
