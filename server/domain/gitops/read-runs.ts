import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import type { Page, PageRequest } from "../page.ts";
import { findRun } from "./find-repository.ts";
import type { GitopsReader, ProposedItem, SyncRun } from "./gitops-store.ts";
import { runView } from "./views.ts";

const MOST_APPLIED = 200;
const CHANGES = { create: "created", update: "updated", adopt: "updated", delete: "deleted" } as const;

/** A run with its proposals, and what became of them. Throws NOT_FOUND. */
export async function getRun(gitops: GitopsReader, runId: string): Promise<SyncRunView> {
  return viewOf(gitops, await findRun(gitops, runId));
}

export async function listRuns(
  gitops: GitopsReader,
  filter: { readonly repository?: string | undefined },
  page: PageRequest,
): Promise<Page<SyncRunView>> {
  const { items, ...rest } = await gitops.runs(filter, page);
  const views: SyncRunView[] = [];
  for (const run of items) views.push(await viewOf(gitops, run));
  return { ...rest, items: views };
}

async function viewOf(gitops: GitopsReader, run: SyncRun): Promise<SyncRunView> {
  const { items: proposals } = await gitops.proposals({ ids: run.proposalIds }, { limit: 10 });
  const applied: SyncRunView["applied"] = [];
  for (const { id, state } of proposals) {
    if (state !== "applied" || applied.length >= MOST_APPLIED) continue;
    const items = await gitops.items(id, { from: 0, limit: MOST_APPLIED - applied.length });
    applied.push(...items.map((item) => appliedItem(item, id)));
  }
  return runView(run, proposals, applied);
}

const appliedItem = ({ action, kind, name, appliedVersion }: ProposedItem, proposalId: string) => ({
  change: CHANGES[action],
  kind,
  name,
  version: appliedVersion ?? 0,
  proposalId,
});
