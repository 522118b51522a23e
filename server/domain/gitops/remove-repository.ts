import { HubError } from "../../errors.ts";
import type { ApprovalReader, ApprovalWriter } from "../approvals/approval-store.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { ChangedBy } from "../fleet/change-fleet.ts";
import type { FleetReader, FleetWriter } from "../fleet/fleet-store.ts";
import { refText } from "../fleet/references.ts";
import type { OperationWriter } from "../operations/operation-store.ts";
import { closeProposals } from "./close-proposal.ts";
import { findRepository } from "./find-repository.ts";
import type { GitopsReader, GitopsWriter } from "./gitops-store.ts";
import { SYNC } from "./start-sync.ts";
import { RUN_SUBJECT } from "./targets.ts";

export interface RemoveTransaction {
  readonly gitops: GitopsReader & GitopsWriter;
  readonly fleet: FleetReader & FleetWriter;
  readonly approvals: ApprovalReader & ApprovalWriter;
  readonly operations: OperationWriter;
  readonly events: EventWriter;
}

/**
 * Takes a repository off. Its objects stay as they are and belong to nobody; its open proposals are superseded; runs and
 * proposals stay on record. Throws NOT_FOUND, SYNC_RUNNING.
 */
export async function removeRepository(
  tx: RemoveTransaction,
  name: string,
  by: ChangedBy,
  now: Date,
): Promise<{ readonly id: string; readonly name: string; readonly released: number }> {
  const { id } = await findRepository(tx.gitops, name);
  await tx.gitops.lockRepository(id);
  const running = await tx.operations.working(SYNC, RUN_SUBJECT(name));
  if (running && running.deadline > now)
    throw new HubError("SYNC_RUNNING", `${name} is being synced: wait for that run to end.`, {
      details: { runId: running.id },
    });
  await closeProposals(tx, await tx.gitops.lockOpenProposals(id), {
    state: "superseded",
    at: now,
    by: by.principalId,
    reason: "The repository was removed.",
  });
  const released = await tx.fleet.disown(name, by.principalId);
  await tx.gitops.removeRepository(id, now);
  const { principalId, callId: call } = by;
  await tx.events.emit(
    ...released.map((object) => ({
      type: "fleet.object_updated",
      subject: `fleet/${refText(object)}`,
      data: { version: object.version, by: principalId, call },
    })),
    {
      type: "gitops.repository_removed",
      subject: RUN_SUBJECT(name),
      data: { released: released.length, by: principalId },
    },
  );
  return { id, name, released: released.length };
}

export async function previewRemove(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  name: string,
  asker: string,
): Promise<Preview> {
  const repository = await findRepository(read.gitops, name);
  const owned = await read.fleet.owned(name);
  return {
    headline: `${asker} asks to REMOVE the repository ${name}; its ${owned.length} objects stay and belong to nobody`,
    changes: [
      { field: "url", before: repository.url },
      ...owned.map((object) => ({ field: `${refText(object)} owner`, before: name })),
    ],
  };
}
