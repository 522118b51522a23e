import * as z from "zod";
import { repositoryView } from "../../contracts/gitops/repository.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { listRepositories } from "../../server/domain/gitops/read-repositories.ts";

export const listGitRepositories = defineAction({
  name: "system_gitops_list_repositories",
  title: "List Git repositories",
  description:
    "Lists the repositories that declare parts of the fleet, by name: the commit synced last, what waits, how the last sync ended.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ ...page }),
  output: pageOf(repositoryView),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ items }) =>
    items.length === 0
      ? "No repositories. Register one: system_gitops_register_repository."
      : items
          .map((r) => {
            const head = r.head ? `at ${r.head.id.slice(0, 10)}` : "never synced";
            const open = r.openProposals.length > 0 ? `, ${r.openProposals.length} proposals open` : "";
            return `${r.name}: ${r.branch} ${head}, ${r.objects} objects${open}, last sync ${r.lastRun?.status ?? "none"}`;
          })
          .join("\n"),
  handler: (input, { read }) => listRepositories(read.gitops, input),
});
