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
import { changesOf, itemsInWords } from "./item-words.ts";
import { movedObjects, proposalStale } from "./moved-objects.ts";

export interface ApplyInput {
  readonly proposalId: string;
  /** Over whatever the objects have become since. */
  readonly force: boolean;
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
  by: ChangedBy,
  now: Date,
): Promise<Applied> {
  const proposal = await tx.gitops.lockProposal(proposalId);
  refuseClosed(proposal);
  const items = await tx.gitops.items(proposalId);
  const { repository, repositoryId, commit } = proposal;
  const puts = items.flatMap(({ after }) => (after ? [after] : []));
  const deletes = items.filter(({ action }) => action === "delete");
  const changed = await changeFleet(tx, { puts, owner: repository, deletes }, by, (live) =>
    accept(items, live, repository, force),
  ).catch(withObject);
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
  const { repository, commit, digest } = proposal;
  const moved = force ? movedObjects(items, live) : [];
  const over = moved.length > 0 ? `, OVER ${moved.length} objects that others changed since` : "";
  const verb = force ? "FORCE" : "apply";
  return {
    headline: `${asker} asks to ${verb} what ${repository} proposes${over}: ${itemsInWords(items)}`,
    changes: [
      { field: "commit", after: `${commit.id} by ${commit.author}: ${commit.subject}` },
      { field: "proposal digest", after: digest },
      ...moved.map(({ words }) => ({ field: "overwritten", after: words })),
      ...items.flatMap((item) => itemChanges(item)),
    ],
  };
}

/** Every object by name, also where none of its fields changes. */
function itemChanges(item: ProposedItem): Preview["changes"] {
  const name = refText(item);
  if (item.action === "delete") return [{ field: name, before: "deleted" }];
  const owner = item.action === "adopt" ? [{ field: `${name} owner`, after: "this repository" }] : [];
  return [...owner, ...changesOf(item).map((change) => ({ ...change, field: `${name} ${change.field}` }))];
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
  if (moved.length > 0) throw proposalStale(moved);
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
