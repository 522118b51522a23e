import { v7 } from "uuid";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import { failOperation } from "../operations/fail-operation.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import { findRepository } from "./find-repository.ts";
import type { GitopsReader, GitopsWriter } from "./gitops-store.ts";
import { RUN_SUBJECT } from "./targets.ts";

/** The kind of operation that a sync is, and the action that its job carries out. */
export const SYNC = "gitops.sync";
const RUN_SYNC = "system_gitops_run_sync";
/** Fetching, reading, comparing, recording. */
export const SYNC_STEPS = 4;
/** A run that is older was given up by whoever held it: its limits end long before. */
const LOST_AFTER_MS = 15 * 60_000;

export interface SyncInput {
  readonly repository: string;
  readonly acceptRewrite: boolean;
}

interface SyncCall {
  readonly by: string;
  readonly now: Date;
}

/**
 * Begins a sync: a row, and the job that carries it on. One at a time for a repository. Throws NOT_FOUND, SYNC_RUNNING
 * with the run's id.
 */
export async function startSync(
  tx: {
    readonly gitops: GitopsReader & GitopsWriter;
    readonly operations: OperationReader & OperationWriter;
    readonly events: EventWriter;
  },
  { repository: name, acceptRewrite }: SyncInput,
  { by, now }: SyncCall,
): Promise<string> {
  const repository = await findRepository(tx.gitops, name);
  const subject = RUN_SUBJECT(name);
  const running = await tx.operations.working(SYNC, subject);
  if (running && running.deadline > now)
    throw new HubError("SYNC_RUNNING", `${name} is being synced since ${running.createdAt.toISOString()}.`, {
      details: { runId: running.id },
    });
  const lost = new HubError("TIMEOUT", "The run was never finished; a later one took its place.");
  if (running) await failOperation(tx, running, lost, now);
  const id = v7();
  await tx.operations.start({
    id,
    kind: SYNC,
    subject,
    action: RUN_SYNC,
    requesterId: by,
    progress: { done: 0, total: SYNC_STEPS, sentence: "Waiting to begin." },
    deadline: new Date(now.getTime() + LOST_AFTER_MS),
    createdAt: now,
  });
  await tx.gitops.addRun({ id, repositoryId: repository.id, acceptsRewrite: acceptRewrite });
  return id;
}
