import * as z from "zod";
import { repositoryName } from "../../contracts/gitops/repository.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { changedBy } from "../../server/domain/fleet/change-fleet.ts";
import { previewRemove, removeRepository } from "../../server/domain/gitops/remove-repository.ts";
import { repositoryTarget } from "../../server/domain/gitops/targets.ts";

export const removeGitRepository = defineAction({
  name: "system_gitops_remove_repository",
  title: "Remove a Git repository",
  description:
    "Takes a repository off: its fleet objects stay as they are and belong to nobody, its open proposals are superseded, its history stays on record. Usually waits for a person's approval.",
  permission: "system.gitops.remove",
  risk: { effect: "destructive", approval: "approve", loosens: false },
  input: z.strictObject({ repository: repositoryName }),
  output: z.strictObject({
    id: z.string(),
    name: z.string(),
    released: z.int().describe("objects that belong to nobody now"),
  }),
  errors: ["NOT_FOUND", "SYNC_RUNNING"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["repository"],
  resource: ["GitopsRepository"],
  target: ({ repository }, { read }) => repositoryTarget(read.gitops, repository),
  preview: ({ repository }, { read, call }) => previewRemove(read, repository, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 30_000,
  summary: ({ name, released }) => `${name} is removed; ${released} fleet objects stay and belong to nobody.`,
  handler: ({ repository }, { tx, call }) => removeRepository(tx, repository, changedBy(call), call.now),
  afterwards: ({ id }, { git }) => git.forget(id),
});
