import * as z from "zod";
import type { appliedObject, ProposalItem, ProposalSummary } from "../../../contracts/gitops/proposal.ts";
import type { RepositoryView } from "../../../contracts/gitops/repository.ts";
import { type SyncProblem, type SyncRunView, syncProblem } from "../../../contracts/gitops/sync-run.ts";
import type { ChangedObject } from "../fleet/change-fleet.ts";
import type { Operation } from "../operations/operation-store.ts";
import type { GitCommit } from "./git-mirror.ts";
import type { Proposal, ProposedItem, RepositoryStanding, SyncRun } from "./gitops-store.ts";
import { changesOf, itemInWords } from "./item-words.ts";

/** The shapes of contracts/gitops, from rows. */

export const commitView = ({ committedAt, ...commit }: GitCommit) => ({
  ...commit,
  committedAt: committedAt.toISOString(),
});

export function repositoryView(standing: RepositoryStanding): RepositoryView {
  const { name, id, url, branch, path, credential, head, syncedAt, objects, openProposals, lastRun, createdAt } =
    standing;
  return {
    name,
    id,
    url,
    branch,
    path,
    credential: credential?.name ?? null,
    head: head ? commitView(head) : null,
    syncedAt: syncedAt?.toISOString() ?? null,
    objects,
    openProposals: [...openProposals],
    lastRun: lastRun ? { id: lastRun.id, status: lastRun.status, errorCode: lastRun.errorCode ?? null } : null,
    createdAt: createdAt.toISOString(),
  };
}

export function proposalView(proposal: Proposal): ProposalSummary {
  const {
    id,
    repository,
    riskClass,
    state,
    commit,
    runId,
    items,
    digest,
    createdAt,
    closedAt,
    closedBy,
    reason,
    forced,
  } = proposal;
  const what = riskClass === "deletes" ? "delete" : "make and change";
  return {
    id,
    repository,
    riskClass,
    state,
    words: `Commit ${commit.id.slice(0, 10)} (${commit.subject}) would ${what} ${items} ${items === 1 ? "object" : "objects"}.`,
    commit: commitView(commit),
    runId,
    items,
    digest,
    createdAt: createdAt.toISOString(),
    closedAt: closedAt?.toISOString() ?? null,
    closedBy: closedBy ?? null,
    reason: reason ?? null,
    forced,
  };
}

export function itemView(item: ProposedItem): ProposalItem {
  const { action, kind, name, base, file, line, appliedVersion } = item;
  return {
    action,
    kind,
    name,
    words: itemInWords(item),
    declaredAt: file === undefined ? null : `${file}:${line}`,
    baseVersion: base?.version ?? null,
    appliedVersion: appliedVersion ?? null,
    changes: changesOf(item),
  };
}

export const appliedView = ({ change, kind, name, object }: ChangedObject): z.output<typeof appliedObject> => ({
  change,
  kind,
  name,
  version: object.version,
});

export function runView(run: SyncRun, proposals: readonly Proposal[], applied: SyncRunView["applied"]): SyncRunView {
  const { id, repository, operation, commit, previousCommit, counts, problems } = run;
  const { createdAt, endedAt, error } = operation;
  return {
    id,
    repository,
    status: statusOf(operation.state, problems),
    progress: operation.progress,
    requestedBy: operation.requesterId,
    commit: commit ? commitView(commit) : null,
    previousCommit: previousCommit ?? null,
    counts: counts ?? null,
    proposals: proposals.map(({ id: proposalId, riskClass, state, items }) => ({
      id: proposalId,
      riskClass,
      state,
      items,
    })),
    applied,
    problems: [...problems, ...problemsIn(operation)],
    error: error ? { code: error.code, message: error.message } : null,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    durationMs: endedAt ? endedAt.getTime() - createdAt.getTime() : null,
  };
}

export function statusOf(state: Operation["state"], problems: readonly unknown[]): SyncRunView["status"] {
  if (state === "working") return "pending";
  if (state !== "completed") return "failed";
  return problems.length > 0 ? "partial" : "success";
}

const faults = z.object({ problems: z.array(syncProblem.omit({ code: true })) });

/** A file that declares nothing that could be read says where: its faults stand in the error's details. */
function problemsIn({ error }: Operation): SyncProblem[] {
  const found = faults.safeParse(error?.details);
  return found.success ? found.data.problems.map((problem) => ({ ...problem, code: error?.code ?? "" })) : [];
}
