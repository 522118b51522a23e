import * as z from "zod";
import { credentialName } from "../../contracts/credentials/credential.ts";
import { branchName, filePath, repositoryName, repositoryView } from "../../contracts/gitops/repository.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { getRepository } from "../../server/domain/gitops/read-repositories.ts";
import { previewRegister, registerRepository } from "../../server/domain/gitops/register-repository.ts";
import { repositoryTarget } from "../../server/domain/gitops/targets.ts";

export const registerGitRepository = defineAction({
  name: "system_gitops_register_repository",
  title: "Register a Git repository",
  description:
    "Lets a branch of a Git repository declare a part of the fleet in a file such as fleet.yaml. Nothing is fetched and nothing changes until it is synced. Addresses are https, ssh, or file for folders that the operator of the hub listed; without passwords; a private repository names a stored credential. Usually waits for a person's approval.",
  permission: "system.gitops.register",
  risk: { effect: "write", approval: "approve", loosens: true },
  input: z.strictObject({
    name: repositoryName,
    url: z.string().min(1).max(2_048).describe("https://, ssh:// or file://, without credentials"),
    branch: branchName.default("main"),
    path: filePath.default("fleet.yaml"),
    credential: credentialName.optional().describe("of a private repository: the stored credential to fetch it with"),
  }),
  output: z.strictObject({ repository: repositoryView }),
  errors: ["REPOSITORY_URL_REFUSED", "ALREADY_EXISTS", "NOT_FOUND", "CREDENTIAL_SCOPE_REFUSED"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["name", "url", "branch", "path", "credential"],
  resource: ["GitopsRepository"],
  target: ({ name }, { read }) => repositoryTarget(read.gitops, name),
  preview: (input, { read, services, call }) => previewRegister(read, services.git, input, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 20_000,
  summary: ({ repository: r }) =>
    `${r.name} is registered: ${r.path} on ${r.branch} of ${r.url}. Next: system_gitops_sync_repository.`,
  handler: async (input, { tx, services, call }) => {
    await registerRepository(tx, services.git, input, { by: call.caller.principal.id, now: call.now });
    return { repository: await getRepository(tx.gitops, input.name) };
  },
});
