import * as z from "zod";
import { page, pageOf } from "../../contracts/page.ts";
import { type AccountKeyView, accountKeyView } from "../../contracts/vault/rotation.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { requireHubAccount } from "../../server/domain/rotation/hub-account.ts";

const DAY_MS = 86_400_000;

const COLUMNS = {
  Account: ({ accountId }: AccountKeyView) => accountId,
  Version: ({ version }: AccountKeyView) => version,
  Rotated: ({ rotatedAt }: AccountKeyView) => rotatedAt ?? "never",
  Credentials: ({ credentials }: AccountKeyView) => credentials,
  Below: ({ below }: AccountKeyView) => below,
};

export const listVaultAccounts = defineAction({
  name: "system_vault_list_accounts",
  title: "List accounts that need rotation",
  description:
    "Lists accounts whose transit key is older than so many days, or that have credentials below its version, oldest first: ids, versions and counts alone. For the hub's own account alone.",
  permission: "system.vault.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    olderThanDays: z.int().min(0).max(3_650).default(90).describe("days since the key was made or last rotated"),
    ...page,
  }),
  output: pageOf(accountKeyView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "No account needs a rotation." : shortTable(COLUMNS, items, next !== undefined),
  handler: async ({ olderThanDays, ...rest }, { read, call }) => {
    requireHubAccount(call.caller);
    return read.rotation.accountKeys(new Date(call.now.getTime() - olderThanDays * DAY_MS), rest);
  },
});
