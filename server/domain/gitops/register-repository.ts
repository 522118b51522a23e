import { v7 } from "uuid";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { GitMirror } from "./git-mirror.ts";
import type { GitopsReader, GitopsWriter, Repository } from "./gitops-store.ts";
import { RUN_SUBJECT } from "./targets.ts";

export interface RegisterInput {
  readonly name: string;
  readonly url: string;
  readonly branch: string;
  readonly path: string;
}

/** Nothing is contacted: the first sync tells whether it can be. Throws REPOSITORY_URL_REFUSED, INPUT_INVALID
 * (no name of a branch), ALREADY_EXISTS. */
export async function registerRepository(
  tx: { readonly gitops: GitopsReader & GitopsWriter; readonly events: EventWriter },
  git: GitMirror,
  input: RegisterInput,
  { by, now }: { readonly by: string; readonly now: Date },
): Promise<Repository> {
  const url = await git.checkSource(input);
  await refuseTaken(tx.gitops, input.name);
  const repository: Repository = { ...input, url, id: v7(), createdBy: by, createdAt: now };
  await tx.gitops.addRepository(repository);
  await tx.events.emit({
    type: "gitops.repository_registered",
    subject: RUN_SUBJECT(input.name),
    data: { branch: input.branch, by },
  });
  return repository;
}

export async function previewRegister(
  gitops: GitopsReader,
  git: GitMirror,
  input: RegisterInput,
  asker: string,
): Promise<Preview> {
  const url = await git.checkSource(input);
  await refuseTaken(gitops, input.name);
  return {
    headline: `${asker} asks to let a Git repository declare a part of the fleet, as ${input.name}`,
    changes: [
      { field: "url", after: url },
      { field: "branch", after: input.branch },
      { field: "path", after: input.path },
    ],
  };
}

async function refuseTaken(gitops: GitopsReader, name: string): Promise<void> {
  if (!(await gitops.repository(name))) return;
  throw new HubError("ALREADY_EXISTS", `There is a repository ${name} already.`, { path: "name" });
}
