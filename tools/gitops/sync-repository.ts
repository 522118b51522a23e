import * as z from "zod";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { syncRunView } from "../../contracts/gitops/sync-run.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { getRun } from "../../server/domain/gitops/read-runs.ts";
import { startSync } from "../../server/domain/gitops/start-sync.ts";
import { repositoryTarget } from "../../server/domain/gitops/targets.ts";

export const syncGitRepository = defineAction({
  name: "system_gitops_sync_repository",
  title: "Sync a Git repository",
  description:
    "Begins to fetch the branch, read what it declares and compare it with the fleet. Answers at once with a run that is pending: follow it with system_gitops_get_sync_run, which names the proposals that came of it. Changes nothing in the fleet. One sync of a repository at a time.",
  permission: "system.gitops.sync",
  risk: { effect: "external", approval: "none", loosens: false, raises: { acceptRewrite: "approve" } },
  input: z.strictObject({
    repository: repositoryName,
    acceptRewrite: z
      .boolean()
      .default(false)
      .describe("take the branch as it is although its history was rewritten (a force-push)"),
  }),
  output: z.strictObject({ run: syncRunView }),
  errors: ["NOT_FOUND", "SYNC_RUNNING"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository", "acceptRewrite"],
  resource: ["GitopsRepository"],
  target: ({ repository }, { read }) => repositoryTarget(read.gitops, repository),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ run }) => `The sync of ${run.repository} has begun: system_gitops_get_sync_run {"runId": "${run.id}"}`,
  links: ({ run }) => [`gitops/sync-runs/${run.id}`, `gitops/repositories/${run.repository}`],
  begins: ({ run }) => run.id,
  handler: async (input, { tx, call }) => {
    const id = await startSync(tx, input, { by: call.caller.principal.id, now: call.now });
    return { run: await getRun(tx.gitops, id) };
  },
});
