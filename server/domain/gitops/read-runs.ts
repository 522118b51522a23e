import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import type { Page, PageRequest } from "../page.ts";
import { findRun } from "./find-repository.ts";
import type { GitopsReader, Proposal, ProposedItem, SyncRun } from "./gitops-store.ts";
import { runView } from "./views.ts";

const MOST_APPLIED = 200;
const CHANGES = { create: "created", update: "updated", adopt: "updated", delete: "deleted" } as const;

/** A run with its proposals, and what became of them. Throws NOT_FOUND. */
export async function getRun(gitops: GitopsReader, runId: string): Promise<SyncRunView> {
  const run = await findRun(gitops, runId);
  const proposals = await proposalsOf(gitops, [run]);
  const applied: SyncRunView["applied"] = [];
  for (const { id, state } of proposals) {
    if (state !== "applied" || applied.length >= MOST_APPLIED) continue;
    const items = await gitops.items(id, { from: 0, limit: MOST_APPLIED - applied.length });
    applied.push(...items.map((item) => appliedItem(item, id)));
  }
  return runView(run, proposals, applied);
}

/** What was applied, object by object, is told of single runs alone. */
export async function listRuns(
  gitops: GitopsReader,
  filter: { readonly repository?: string | undefined },
  page: PageRequest,
): Promise<Page<SyncRunView>> {
  const { items, ...rest } = await gitops.runs(filter, page);
  const proposals = new Map((await proposalsOf(gitops, items)).map((proposal) => [proposal.id, proposal]));
  const views = items.map((run) =>
    runView(
      run,
      run.proposalIds.flatMap((id) => proposals.get(id) ?? []),
      [],
    ),
  );
  return { ...rest, items: views };
}

/** Those of all of these runs, each once. */
async function proposalsOf(gitops: GitopsReader, runs: readonly SyncRun[]): Promise<readonly Proposal[]> {
  const ids = [...new Set(runs.flatMap(({ proposalIds }) => proposalIds))];
  return ids.length === 0 ? [] : (await gitops.proposals({ ids }, { limit: ids.length })).items;
}

const appliedItem = ({ action, kind, name, appliedVersion }: ProposedItem, proposalId: string) => ({
  change: CHANGES[action],
  kind,
  name,
  version: appliedVersion ?? 0,
  proposalId,
});
