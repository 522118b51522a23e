import * as z from "zod";
import { rowId } from "../../contracts/formats/row-id.ts";
import { syncRunView } from "../../contracts/gitops/sync-run.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { getRun } from "../../server/domain/gitops/read-runs.ts";
import { runInWords } from "../../server/domain/gitops/run-words.ts";
import { runTarget } from "../../server/domain/gitops/targets.ts";

export const getGitSyncRun = defineAction({
  name: "system_gitops_get_sync_run",
  title: "Show a sync run",
  description:
    "How far a sync is, or how it ended: the commit, what is declared, the proposals to look at with system_gitops_get_proposal, and every problem with its file and line.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ runId: rowId.describe("as system_gitops_sync_repository answered") }),
  output: z.strictObject({ run: syncRunView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["GitopsSyncRun"],
  target: ({ runId }, { read }) => runTarget(read.gitops, runId),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ run }) => runInWords(run),
  links: ({ run }) => run.proposals.map(({ id }) => `gitops/proposals/${id}`),
  handler: async ({ runId }, { read }) => ({ run: await getRun(read.gitops, runId) }),
});
