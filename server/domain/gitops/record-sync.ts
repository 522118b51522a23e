import { v7 } from "uuid";
import { commit as commitTo, opens } from "../../../contracts/formats/commitment.ts";
import { RISK_CLASSES } from "../../../contracts/gitops/proposal.ts";
import { HubError } from "../../errors.ts";
import { byRef, type LiveSet } from "../fleet/fleet-set.ts";
import type { FleetReader } from "../fleet/fleet-store.ts";
import { referencesOf, refText } from "../fleet/references.ts";
import { completeOperation } from "../operations/complete-operation.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import { checkAgainstFleet } from "./check-against-fleet.ts";
import { type ClosingTransaction, closeProposals } from "./close-proposal.ts";
import { hasDrifted } from "./drift-report.ts";
import { type Fetched, short } from "./fetch-desired.ts";
import { findRun } from "./find-repository.ts";
import { type GitopsReader, type GitopsWriter, type Proposal, type Repository, statedOf } from "./gitops-store.ts";
import { type Plan, planChanges } from "./plan-changes.ts";
import { contentText } from "./proposal-content.ts";
import { RUN_SUBJECT } from "./targets.ts";

export type SyncTransaction = ClosingTransaction & {
  readonly gitops: GitopsReader & GitopsWriter;
  readonly fleet: FleetReader;
  readonly operations: OperationReader & OperationWriter;
};

interface SyncCall {
  readonly by: string;
  readonly now: Date;
}

/**
 * The part of a sync that changes rows: what was fetched becomes the head and, where the fleet differs, proposals. All of
 * it, or nothing; and only for the process that holds the run. Throws CANCELLED (another process took the run over),
 * DESIRED_STATE_INVALID (what is declared does not fit the fleet).
 */
export async function recordSync(
  tx: SyncTransaction,
  { runId, fence }: { readonly runId: string; readonly fence: number },
  fetched: Fetched,
  { by, now }: SyncCall,
): Promise<{ readonly status: "success" | "partial"; readonly proposals: readonly string[] }> {
  if (!(await tx.operations.holds(runId, fence)))
    throw new HubError("CANCELLED", "Another process took this run over, or it was given up.");
  const run = await findRun(tx.gitops, runId);
  const repository = await tx.gitops.lockRepository(run.repositoryId);
  if (!repository) throw new HubError("NOT_FOUND", `The repository ${run.repository} was removed meanwhile.`);
  // first: whoever applies one holds it until the fleet has it, so that what is read now is what came of that
  const open = await tx.gitops.lockOpenProposals(repository.id);
  const { plan, live } = await planOf(tx, repository, fetched);
  await tellDrift(tx, repository, runId, live);
  const proposals = await propose(tx, { repository, runId, open, plan, fetched, by, now });
  const { commit, previousCommit, desired } = fetched;
  await tx.gitops.setHead(repository.id, commit, desired.objects, now);
  await noteConverged(tx.gitops, repository, plan, fetched, now);
  const { counts, problems } = plan;
  await tx.gitops.finishRun(runId, {
    commit,
    ...(previousCommit !== undefined && { previousCommit }),
    counts,
    proposalIds: proposals,
    problems,
  });
  const status = problems.length > 0 ? "partial" : "success";
  const sentence = sentenceOf(plan, proposals.length, short(commit.id));
  await completeOperation(tx, { operationId: runId, fence }, sentence, now);
  await tx.events.emit({
    type: "gitops.sync_completed",
    subject: RUN_SUBJECT(repository.name),
    data: { runId, status, commit: commit.id, proposals: [...proposals] },
  });
  return { status, proposals };
}

async function planOf(
  tx: SyncTransaction,
  { name }: Repository,
  { desired }: Fetched,
): Promise<{ readonly plan: Plan; readonly live: LiveSet }> {
  const declared = desired.objects;
  const objects = declared.map(({ object }) => object);
  const [found, owned] = [
    await tx.fleet.find([...objects, ...objects.flatMap(referencesOf)]),
    await tx.fleet.owned(name),
  ];
  const live = byRef([...found, ...owned]);
  checkAgainstFleet(name, declared, live);
  const wanted = new Set(objects.map(refText));
  const undeclared = owned.filter((object) => !wanted.has(refText(object)));
  const referrals = await tx.fleet.referrers(undeclared);
  return { plan: planChanges({ repository: name, declared, live, referrals }), live };
}

/** Before what is live counts as applied: who follows events learns that somebody went past Git. */
async function tellDrift(tx: SyncTransaction, { id, name }: Repository, runId: string, live: LiveSet): Promise<void> {
  const applied = await tx.gitops.applied(id);
  const drifted = applied.filter((object) => hasDrifted(object, live.get(refText(object)))).length;
  if (drifted === 0) return;
  await tx.events.emit({
    type: "gitops.drift_detected",
    subject: RUN_SUBJECT(name),
    data: { runId, objects: drifted },
  });
}

interface Proposing {
  readonly repository: Repository;
  readonly runId: string;
  /** Locked. */
  readonly open: readonly Proposal[];
  readonly plan: Plan;
  readonly fetched: Fetched;
  readonly by: string;
  readonly now: Date;
}

/** What is open and still says the same stays open; everything else that is open is superseded. Answers with the open ones. */
async function propose(
  tx: SyncTransaction,
  { repository, runId, open, plan, fetched, by, now }: Proposing,
): Promise<string[]> {
  const ids: string[] = [];
  for (const riskClass of RISK_CLASSES) {
    const items = plan.items[riskClass];
    const content = Buffer.from(
      contentText({ repositoryId: repository.id, commitId: fetched.commit.id, riskClass, items }),
    );
    const saysTheSame = (proposal: Proposal | undefined) =>
      proposal !== undefined && opens(proposal.digest, proposal.salt, content);
    const standing = open.find((proposal) => proposal.riskClass === riskClass);
    if (standing && items.length > 0 && saysTheSame(standing)) {
      ids.push(standing.id);
      continue;
    }
    if (standing) {
      const reason = `Commit ${short(fetched.commit.id)}, synced ${now.toISOString()}, proposes something else.`;
      await closeProposals(tx, [standing], { state: "superseded", at: now, by, reason });
    }
    // what people rejected is not proposed again before the commit or the fleet is another one
    if (items.length === 0 || saysTheSame(await tx.gitops.lastRejected(repository.id, riskClass))) continue;
    const id = v7();
    const { digest, salt } = commitTo(content);
    const { id: repositoryId, name } = repository;
    const { commit } = fetched;
    await tx.gitops.addProposal({ id, repositoryId, runId, commit, riskClass, digest, salt, items, createdAt: now });
    await tx.events.emit({
      type: "gitops.proposal_opened",
      subject: `gitops/proposals/${id}`,
      data: { repository: name, riskClass, items: items.length, commit: commit.id },
    });
    ids.push(id);
  }
  return ids;
}

/** What is live just as declared counts as applied, whoever made it so; what is gone on both sides is forgotten. */
async function noteConverged(
  gitops: GitopsReader & GitopsWriter,
  { id }: Repository,
  plan: Plan,
  { commit, desired }: Fetched,
  now: Date,
): Promise<void> {
  const applied = new Map((await gitops.applied(id)).map((object) => [refText(object), object]));
  const moved = plan.converged.filter((object) => {
    const known = applied.get(refText(object));
    return known?.version !== object.version || known.born !== object.createdAt;
  });
  await gitops.setApplied(
    id,
    moved.map((object) => ({
      kind: object.kind,
      name: object.name,
      version: object.version,
      born: object.createdAt,
      commit: commit.id,
      state: statedOf(object),
    })),
    now,
  );
  const kept = new Set([
    ...desired.objects.map(({ object }) => refText(object)),
    ...plan.items.deletes.map(refText),
    ...plan.problems.map(({ path }) => path),
  ]);
  await gitops.forgetApplied(
    id,
    [...applied].flatMap(([ref, object]) => (kept.has(ref) ? [] : [object])),
  );
}

function sentenceOf({ counts, problems }: Plan, proposals: number, commit: string): string {
  const refused = problems.length > 0 ? ` ${problems.length} objects cannot be proposed.` : "";
  if (proposals === 0 && counts.unchanged === counts.declared && counts.delete === 0)
    return `The fleet is as commit ${commit} declares it.${refused}`;
  const open = proposals === 1 ? "1 proposal waits" : `${proposals} proposals wait`;
  return `${open} for a decision about commit ${commit}.${refused}`;
}
