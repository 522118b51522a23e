import type { RepositoryView } from "../../../contracts/gitops/repository.ts";
import { HubError } from "../../errors.ts";
import type { Page, PageRequest } from "../page.ts";
import type { GitopsReader } from "./gitops-store.ts";
import { repositoryView } from "./views.ts";

/** Throws NOT_FOUND. */
export async function getRepository(gitops: GitopsReader, name: string): Promise<RepositoryView> {
  const found = await gitops.standing(name);
  if (!found) throw new HubError("NOT_FOUND", `There is no repository ${name}.`, { path: "repository" });
  return repositoryView(found);
}

export async function listRepositories(gitops: GitopsReader, page: PageRequest): Promise<Page<RepositoryView>> {
  const { items, ...rest } = await gitops.repositories(page);
  return { ...rest, items: items.map(repositoryView) };
}
