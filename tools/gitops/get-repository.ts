import * as z from "zod";
import { repositoryName, repositoryView } from "../../contracts/gitops/repository.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { escapePlaces as shown } from "../../server/domain/approvals/escape-preview.ts";
import { getRepository } from "../../server/domain/gitops/read-repositories.ts";
import { repositoryTarget } from "../../server/domain/gitops/targets.ts";

export const getGitRepository = defineAction({
  name: "system_gitops_get_repository",
  title: "Show a Git repository",
  description: "One repository: the commit synced last, its open proposals, how the last sync ended.",
  permission: "system.gitops.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ repository: repositoryName }),
  output: z.strictObject({ repository: repositoryView }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository"],
  resource: ["GitopsRepository"],
  target: ({ repository }, { read }) => repositoryTarget(read.gitops, repository),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ repository: r }) => {
    const head = r.head ? `${r.head.id.slice(0, 10)} (${shown(r.head.subject)})` : "not synced yet";
    const open = r.openProposals.map((id) => `\nOpen proposal: ${id}`).join("");
    return `${r.name}: ${r.path} on ${r.branch} of ${r.url}, ${head}; owns ${r.objects} objects.${open}`;
  },
  links: ({ repository }) => repository.openProposals.map((id) => `gitops/proposals/${id}`),
  handler: async ({ repository }, { read }) => ({ repository: await getRepository(read.gitops, repository) }),
});
