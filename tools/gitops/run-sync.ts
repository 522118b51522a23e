import * as z from "zod";
import { defineAction } from "../../server/action/define-action.ts";
import { fetchDesired } from "../../server/domain/gitops/fetch-desired.ts";
import { recordSync } from "../../server/domain/gitops/record-sync.ts";
import { runTarget } from "../../server/domain/gitops/targets.ts";

/** What the job of a sync carries out: the part that reaches out has an intent before it, and an outcome of its own. */
export const runGitSync = defineAction({
  name: "system_gitops_run_sync",
  title: "Carry out a sync",
  description:
    "The hub's own job carries out a sync that somebody began, with the rights that they have now: fetch, read, compare, propose.",
  permission: "system.gitops.sync",
  risk: { effect: "external", approval: "none", loosens: false },
  input: z.strictObject({ operationId: z.uuid(), fence: z.int().min(1) }),
  output: z.strictObject({
    status: z.enum(["success", "partial"]),
    commit: z.string(),
    proposals: z.array(z.string()),
  }),
  errors: [
    "NOT_FOUND",
    "EGRESS_REFUSED",
    "REPOSITORY_URL_REFUSED",
    "GIT_UNREACHABLE",
    "GIT_AUTH_REQUIRED",
    "GIT_NOT_A_REPOSITORY",
    "GIT_REPOSITORY_EMPTY",
    "GIT_BRANCH_MISSING",
    "GIT_PATH_MISSING",
    "GIT_HISTORY_REWRITTEN",
    "GIT_TREE_REFUSED",
    "GIT_TOO_LARGE",
    "DESIRED_STATE_INVALID",
    "CREDENTIAL_EMPTY",
    "CREDENTIAL_EXPIRED",
    "CREDENTIAL_REPLACED",
    "CREDENTIAL_SCOPE_REFUSED",
    "CIPHERTEXT_INVALID",
  ],
  channels: ["job"],
  policyInput: [],
  resource: ["GitopsSyncRun"],
  target: ({ operationId }, { read }) => runTarget(read.gitops, operationId),
  secretOutput: false,
  timeLimitMs: 600_000,
  summary: ({ status, commit, proposals }) => `${status} at ${commit.slice(0, 10)}: ${proposals.length} proposals.`,
  reach: (input, { read, services, call }) =>
    fetchDesired(input.operationId, {
      read: (fn) => read(({ gitops }) => fn(gitops)),
      git: services.git,
      progress: (progress) => services.operations.report(call.caller.account.id, input, progress),
      open: (credentialId, use) => {
        const { account, principal } = call.caller;
        const whose = { by: principal.id, callId: call.id, signal: call.signal };
        return services.credentials.open(account.id, credentialId, { ...use, ...whose });
      },
      signal: call.signal,
    }),
  handler: async ({ operationId, fence }, { tx, call, reached }) => {
    const by = { by: call.caller.principal.id, now: call.now };
    const { status, proposals } = await recordSync(tx, { runId: operationId, fence }, reached, by);
    return { status, commit: reached.commit.id, proposals: [...proposals] };
  },
});
