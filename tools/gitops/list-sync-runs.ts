import * as z from "zod";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { syncRunView } from "../../contracts/gitops/sync-run.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { listRuns } from "../../server/domain/gitops/read-runs.ts";

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
  timeLimitMs: 10_000,
  summary: ({ items }) =>
    items.length === 0
      ? "No syncs yet."
      : items
          .map(
            (run) =>
              `${run.createdAt} ${run.repository}: ${run.status}${run.error ? ` (${run.error.code})` : ""} ${run.id}`,
          )
          .join("\n"),
  handler: ({ repository, ...rest }, { read }) => listRuns(read.gitops, { repository }, rest),
});
