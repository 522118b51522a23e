import * as z from "zod";
import { driftReport as driftReportView } from "../../contracts/gitops/drift-report.ts";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { page } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { driftReport } from "../../server/domain/gitops/drift-report.ts";
import { repositoryTarget } from "../../server/domain/gitops/targets.ts";

export const getGitDriftReport = defineAction({
  name: "system_gitops_get_drift_report",
  title: "Report drift of a repository's objects",
  description:
    "Compares what the commit synced last declares, what of it was applied, and what is live. Pending: declared and not applied. Drifted: changed past Git, with who did it, when, and the receipt. Looks only: fetches nothing and proposes nothing.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ repository: repositoryName, ...page }),
  output: driftReportView,
  errors: ["NOT_FOUND", "CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository"],
  resource: ["GitopsRepository"],
  target: ({ repository }, { read }) => repositoryTarget(read.gitops, repository),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ repository, inSync, counts, objects }) =>
    inSync
      ? `${repository}: in sync, ${counts.objects} objects.`
      : [
          `${repository}: ${counts.pending} pending, ${counts.drifted} drifted of ${counts.objects} objects.`,
          ...objects.slice(0, 10).map(({ words }) => `- ${shown(words)}`),
          ...(objects.length > 10 ? [`- and ${objects.length - 10} more on this page`] : []),
        ].join("\n"),
  handler: ({ repository, ...rest }, { read }) => driftReport(read, repository, rest),
});
