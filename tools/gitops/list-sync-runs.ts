import * as z from "zod";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { type SyncRunView, syncRunView } from "../../contracts/gitops/sync-run.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listRuns } from "../../server/domain/gitops/read-runs.ts";

const COLUMNS = {
  Run: ({ id }: SyncRunView) => id,
  Repository: ({ repository }: SyncRunView) => repository,
  Status: ({ status, error }: SyncRunView) => (error ? `${status} (${error.code})` : status),
  Begun: ({ createdAt }: SyncRunView) => createdAt,
  Problems: ({ problems }: SyncRunView) => problems.length,
};

export const listGitSyncRuns = defineAction({
  name: "system_gitops_list_sync_runs",
  title: "List sync runs",
  description: "Lists syncs, newest first, of all repositories or of one.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ repository: repositoryName.optional(), ...page }),
  output: pageOf(syncRunView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ items, next }) => (items.length === 0 ? "No syncs yet." : shortTable(COLUMNS, items, next !== undefined)),
  links: ({ items }) => items.map(({ id }) => `gitops/sync-runs/${id}`),
  handler: ({ repository, ...rest }, { read }) => listRuns(read.gitops, { repository }, rest),
});
