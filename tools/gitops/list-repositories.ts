import * as z from "zod";
import { type RepositoryView, repositoryView } from "../../contracts/gitops/repository.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";
import { listRepositories } from "../../server/domain/gitops/read-repositories.ts";

const COLUMNS = {
  Repository: ({ name }: RepositoryView) => name,
  Branch: ({ branch }: RepositoryView) => branch,
  Commit: ({ head }: RepositoryView) => head?.id.slice(0, 10) ?? "never synced",
  Objects: ({ objects }: RepositoryView) => objects,
  "Open proposals": ({ openProposals }: RepositoryView) => openProposals.length,
  "Last sync": ({ lastRun }: RepositoryView) => lastRun?.status ?? null,
};

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
  timeLimitMs: 20_000,
  summary: ({ items, next }) =>
    items.length === 0
      ? "No repositories. Register one: system_gitops_register_repository."
      : shortTable(COLUMNS, items, next !== undefined),
  links: ({ items }) => items.map(({ name }) => `gitops/repositories/${name}`),
  handler: (input, { read }) => listRepositories(read.gitops, input),
});
