import { v7 } from "uuid";
import { FINALIZATION, ROTATION, TRIMMING, VERIFICATION } from "../../../contracts/vault/walk.ts";
import { HubError } from "../../errors.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import type { RotationReader } from "./rotation-store.ts";

type Kind = typeof ROTATION | typeof VERIFICATION | typeof FINALIZATION | typeof TRIMMING;

export const KEYS_SUBJECT = "vault/transit/data";
/** What ends such an operation, once its job has walked through all accounts. */
export const FINISH_WALK = "system_vault_finish_walk";
/** It lasts as long as it has to: nobody gives it up for lost. */
const NEVER_MS = 10 * 365 * 86_400_000;

const RUNNING: Readonly<Record<Kind, string>> = {
  [ROTATION]: "The keys are being rotated",
  [VERIFICATION]: "The credentials are being verified",
  [FINALIZATION]: "A rotation is being finalised",
  [TRIMMING]: "Old versions are being destroyed",
};

export interface Asking {
  readonly by: string;
  readonly now: Date;
}

/** Throws ROTATION_RUNNING, naming the one that is under way. */
export async function refuseRunning(
  { rotation }: { readonly rotation: Pick<RotationReader, "running"> },
  kind: Kind,
): Promise<void> {
  const running = await rotation.running(kind);
  if (running) throw alreadyRunning(kind, running.id, running.createdAt);
}

/** Begins it: a row, and the job that walks. Answers with its id. Throws ROTATION_RUNNING. */
export async function beginWalking(
  { operations }: { readonly operations: OperationReader & OperationWriter },
  kind: Kind,
  { total, by, now }: Asking & { readonly total: number },
): Promise<string> {
  const running = await operations.working(kind, KEYS_SUBJECT);
  if (running) throw alreadyRunning(kind, running.id, running.createdAt);
  const id = v7();
  await operations.start({
    id,
    kind,
    subject: KEYS_SUBJECT,
    action: FINISH_WALK,
    requesterId: by,
    progress: { done: 0, total: Math.max(1, total), sentence: "Waiting to begin." },
    deadline: new Date(now.getTime() + NEVER_MS),
    createdAt: now,
  });
  return id;
}

function alreadyRunning(kind: Kind, operationId: string, since: Date): HubError {
  const sentence = `${RUNNING[kind]} since ${since.toISOString()}: follow it with system_operations_get, or stop it with system_operations_cancel ${JSON.stringify({ operationId })}.`;
  return new HubError("ROTATION_RUNNING", sentence, { details: { operationId, kind } });
}
