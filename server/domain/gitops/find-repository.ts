import { HubError } from "../../errors.ts";
import type { GitopsReader, Proposal, Repository, SyncRun } from "./gitops-store.ts";

/** Throws NOT_FOUND. */
export async function findRepository(gitops: GitopsReader, name: string): Promise<Repository> {
  return (await gitops.repository(name)) ?? missing(`There is no repository ${name}.`, "repository");
}

/** Throws NOT_FOUND. */
export async function findRun(gitops: GitopsReader, runId: string): Promise<SyncRun> {
  return (await gitops.run(runId)) ?? missing("There is no such sync run.", "runId");
}

/** Throws NOT_FOUND. */
export async function findProposal(gitops: GitopsReader, proposalId: string): Promise<Proposal> {
  return (await gitops.proposal(proposalId)) ?? missing("There is no such proposal.", "proposalId");
}

function missing(message: string, path: string): never {
  throw new HubError("NOT_FOUND", message, { path });
}
