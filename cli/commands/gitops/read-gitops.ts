/** What the GitOps commands read of the hub, every page of it. */
import * as z from "zod";
import { type DriftReport, driftReport } from "../../../contracts/gitops/drift-report.ts";
import { movedObject, proposalItem, proposalSummary } from "../../../contracts/gitops/proposal.ts";
import { type RepositoryView, repositoryView } from "../../../contracts/gitops/repository.ts";
import { type SyncRunView, syncRunView } from "../../../contracts/gitops/sync-run.ts";
import { pageOf } from "../../../contracts/page.ts";
import type { HubClient } from "../../hub-client.ts";

const oneRepository = z.object({ repository: repositoryView });
const oneRun = z.object({ run: syncRunView });
const oneProposal = z.object({
  proposal: proposalSummary,
  salt: z.string(),
  items: z.array(proposalItem),
  moved: z.array(movedObject),
  next: z.string().optional(),
});
export type ProposalDetail = Omit<z.output<typeof oneProposal>, "next">;

const PAGE = { limit: 200 };

export async function readRepositories(hub: HubClient): Promise<RepositoryView[]> {
  const items: RepositoryView[] = [];
  for await (const page of pages((cursor) =>
    hub.output(pageOf(repositoryView), "system_gitops_list_repositories", { ...PAGE, ...cursor }),
  ))
    items.push(...page.items);
  return items;
}

export const readRepository = async (hub: HubClient, repository: string): Promise<RepositoryView> =>
  (await hub.output(oneRepository, "system_gitops_get_repository", { repository })).repository;

export const readRun = async (hub: HubClient, runId: string): Promise<SyncRunView> =>
  (await hub.output(oneRun, "system_gitops_get_sync_run", { runId })).run;

export async function readProposal(hub: HubClient, proposalId: string): Promise<ProposalDetail> {
  return collected(
    (cursor) => hub.output(oneProposal, "system_gitops_get_proposal", { proposalId, ...PAGE, ...cursor }),
    (whole, page) => whole.items.push(...page.items),
  );
}

export async function readDrift(hub: HubClient, repository: string): Promise<DriftReport> {
  return collected(
    (cursor) => hub.output(driftReport, "system_gitops_get_drift_report", { repository, ...PAGE, ...cursor }),
    (whole, page) => whole.objects.push(...page.objects),
  );
}

/** The counts alone, without what differs. */
export const readDriftCounts = async (hub: HubClient, repository: string): Promise<DriftReport["counts"]> =>
  (await hub.output(driftReport, "system_gitops_get_drift_report", { repository, limit: 1 })).counts;

interface Page {
  readonly next?: string | undefined;
}

type Ask<P extends Page> = (cursor: { readonly cursor?: string }) => Promise<P>;

async function* pages<P extends Page>(ask: Ask<P>): AsyncGenerator<P> {
  for (let cursor = {}; ; ) {
    const page = await ask(cursor);
    yield page;
    if (page.next === undefined) return;
    cursor = { cursor: page.next };
  }
}

/** One answer whose list has the items of all pages. */
async function collected<P extends Page>(ask: Ask<P>, add: (whole: P, page: P) => void): Promise<Omit<P, "next">> {
  let whole: P | undefined;
  for await (const page of pages(ask)) {
    if (whole) add(whole, page);
    else whole = page;
  }
  const { next: _, ...rest } = whole as P;
  return rest;
}
