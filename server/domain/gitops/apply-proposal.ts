import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError, toHubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { type ChangedBy, type ChangedObject, changeFleet, type FleetTransaction } from "../fleet/change-fleet.ts";
import { byRef } from "../fleet/fleet-set.ts";
import type { FleetReader } from "../fleet/fleet-store.ts";
import { objectTargetOf } from "../fleet/read-object.ts";
import { refText } from "../fleet/references.ts";
import { findProposal } from "./find-repository.ts";
import { type GitopsReader, type GitopsWriter, type Proposal, type ProposedItem, statedOf } from "./gitops-store.ts";
import { movedObjects, proposalStale } from "./moved-objects.ts";
import { previewOf } from "./preview-apply.ts";
import { versionOver } from "./targets.ts";

export interface ApplyInput {
  readonly proposalId: string;
  /** Over whatever the objects have become since. */
  readonly force: boolean;
}

export interface Applying {
  readonly by: ChangedBy;
  readonly now: Date;
  /** The version of the proposal, and with force of what it overwrites, that was judged and agreed to. */
  readonly agreed: string | undefined;
}

export interface Applied {
  readonly proposal: Proposal;
  readonly changed: readonly ChangedObject[];
}

interface Rows {
  readonly gitops: GitopsReader;
  readonly fleet: FleetReader;
}

/**
 * Makes the fleet what a proposal says, all of it or nothing, by the service that changes it for every other call. Throws
 * NOT_FOUND, PROPOSAL_CLOSED, PROPOSAL_STALE with a three-way account (unless forced), OWNED_ELSEWHERE, and what
 * `changeFleet` throws, with the object's name in front.
 */
export async function applyProposal(
  tx: FleetTransaction & { readonly gitops: GitopsReader & GitopsWriter },
  { proposalId, force }: ApplyInput,
  { by, now, agreed }: Applying,
): Promise<Applied> {
  const proposal = await tx.gitops.lockProposal(proposalId);
  refuseClosed(proposal);
  const items = await tx.gitops.items(proposalId);
  const { repository, repositoryId, commit } = proposal;
  const puts = items.flatMap(({ after }) => (after ? [after] : []));
  const deletes = items.filter(({ action }) => action === "delete");
  const changed = await changeFleet(tx, { puts, owner: repository, deletes }, by, (live) => {
    accept(items, live, repository, force);
    if (force) refuseUnseen(proposal, live, agreed);
  }).catch(withObject);
  await tx.gitops.setAppliedVersions(
    proposalId,
    changed.map(({ kind, name, object }) => ({ kind, name, version: object.version })),
  );
  const present = changed.filter(({ change }) => change !== "deleted");
  await tx.gitops.setApplied(
    repositoryId,
    present.map(({ kind, name, object }) => ({
      kind,
      name,
      state: statedOf(object),
      version: object.version,
      born: object.createdAt,
      commit: commit.id,
    })),
    now,
  );
  await tx.gitops.forgetApplied(repositoryId, deletes);
  await tx.gitops.closeProposal(proposalId, { state: "applied", at: now, by: by.principalId, forced: force });
  await tx.events.emit({
    type: "gitops.proposal_applied",
    subject: `gitops/proposals/${proposalId}`,
    data: { repository, riskClass: proposal.riskClass, by: by.principalId },
  });
  return { proposal: await findProposal(tx.gitops, proposalId), changed };
}

/** What approvers see; refuses what could not be applied as things are. */
export async function previewApply(read: Rows, { proposalId, force }: ApplyInput, asker: string): Promise<Preview> {
  const proposal = await findProposal(read.gitops, proposalId);
  refuseClosed(proposal);
  const items = await read.gitops.items(proposalId);
  const live = byRef(await read.fleet.find(items));
  accept(items, live, proposal.repository, force);
  return previewOf(proposal, items, live, { asker, force });
}

/** The calls that applying amounts to: by going through Git nobody gets around a policy about an object. */
export async function callsOf(read: Rows, { proposalId }: ApplyInput) {
  const items = await read.gitops.items(proposalId);
  const live = byRef(await read.fleet.find(items));
  return items.map((item) => {
    const now = live.get(refText(item));
    const version = now ? { expectedVersion: now.version } : {};
    const input = item.after
      ? { object: item.after, ...version }
      : { kind: item.kind, name: item.name, expectedVersion: 1, ...version };
    return {
      action: item.after ? "system_fleet_put_object" : "system_fleet_delete_object",
      input: input as unknown as Record<string, Json>,
      target: objectTargetOf(item, now),
    };
  });
}

export function refuseClosed({ id, state, closedAt, reason }: Proposal): void {
  if (state === "open" || state === "stale") return;
  const why = reason === undefined ? "" : ` (${reason})`;
  throw new HubError("PROPOSAL_CLOSED", `The proposal was ${state} ${closedAt?.toISOString() ?? ""}${why}.`, {
    details: { proposalId: id, state },
  });
}

function accept(
  items: readonly ProposedItem[],
  live: ReadonlyMap<string, LiveFleetObject>,
  repository: string,
  force: boolean,
): void {
  for (const item of items) {
    const owner = live.get(refText(item))?.owner ?? null;
    if (owner === null || owner === repository) continue;
    throw new HubError(
      "OWNED_ELSEWHERE",
      `${refText(item)} belongs to the repository ${owner} now, and cannot be changed by ${repository}.`,
    );
  }
  if (force) return;
  const moved = movedObjects(items, live);
  if (moved.count > 0) throw proposalStale(moved);
}

/** Under lock: an edit that came between judging and now was seen by nobody who agreed to overwrite. */
function refuseUnseen(
  proposal: Proposal,
  live: ReadonlyMap<string, LiveFleetObject>,
  agreed: string | undefined,
): void {
  if (agreed === versionOver(proposal, [...live.values()])) return;
  throw new HubError(
    "PROPOSAL_STALE",
    "An object changed after it was agreed to overwrite it, and nothing was changed: look at what is there now, and ask again.",
  );
}

/** Where the fleet refuses one of many objects, the message says in a person's words what keeps the whole from being applied. */
function withObject(error: unknown): never {
  const { code, message, path, details } = toHubError(error);
  if (!["REFERENCE_MISSING", "IN_USE", "INPUT_INVALID"].includes(code) && code !== "CONFLICT") throw error;
  throw new HubError(code, `The proposal cannot be applied as a whole, and nothing was changed: ${message}`, {
    ...(path !== undefined && { path: "proposalId" }),
    ...(details && { details }),
    cause: error,
  });
}
