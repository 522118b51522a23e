import { pausedSentence } from "../../../contracts/vault/rotation.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import { findRotation } from "./find-rotation.ts";
import type { Asking } from "./rotation-operation.ts";
import type { RotationReader, RotationWriter } from "./rotation-store.ts";

export interface PausingTransaction {
  readonly rotation: RotationReader & RotationWriter;
  readonly operations: OperationReader & OperationWriter;
  readonly events: EventWriter;
}

/** The walk stops before its next batch and keeps its place. Pausing what is paused changes nothing. Throws NOT_FOUND, CONFLICT (it is over). */
export async function pauseRotation(tx: PausingTransaction, id: string, { by, now }: Asking): Promise<void> {
  const { operation, standing } = await lockWorking(tx, id);
  if (standing.pausedAt) return;
  await tx.rotation.pause(id, { by, at: now });
  const sentence = pausedSentence(now);
  await tx.operations.advance(id, operation.fence, { ...operation.progress, sentence }, now);
  await tx.events.emit({ type: "vault.rotation_paused", subject: `vault/rotations/${id}`, data: { by } });
}

/**
 * The walk goes on where it was. Where it is not paused its job is sent again, which harms nothing: whoever carries the walk
 * on is taken over. Throws NOT_FOUND, CONFLICT (it is over).
 */
export async function resumeRotation(tx: PausingTransaction, id: string, { by, now }: Asking): Promise<void> {
  const { operation, standing } = await lockWorking(tx, id);
  await tx.operations.again(id);
  if (!standing.pausedAt) return;
  await tx.rotation.pause(id, undefined);
  const sentence = "Resumed; the walk goes on in a moment.";
  await tx.operations.advance(id, operation.fence, { ...operation.progress, sentence }, now);
  await tx.events.emit({ type: "vault.rotation_resumed", subject: `vault/rotations/${id}`, data: { by } });
}

async function lockWorking(tx: PausingTransaction, id: string) {
  const { operation } = await findRotation(tx, id);
  const standing = await tx.rotation.lockRotation(id);
  if (!standing || operation.state !== "working")
    throw new HubError("CONFLICT", `The rotation is over: it is ${operation.state}.`);
  return { operation, standing };
}
