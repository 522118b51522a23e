import { v7 } from "uuid";
import { counted } from "../../../contracts/vault/counted.ts";
import { FINALIZATION, ROTATION, TRIMMING } from "../../../contracts/vault/walk.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import { findRotation, type RotationRows } from "./find-rotation.ts";
import { getRotation } from "./read-rotations.ts";
import { type Asking, beginWalking, refuseRunning } from "./rotation-operation.ts";
import type { FollowUp, Rotation, RotationReader, RotationWriter } from "./rotation-store.ts";
import { inUseInWords, notFinalizedInWords, soakInWords } from "./rotation-words.ts";

const MINUTE_MS = 60_000;
/** Backups that a refusal names. */
const MOST_BACKUPS = 10;

export interface FollowUpTransaction {
  readonly rotation: RotationReader & RotationWriter;
  readonly operations: OperationReader & OperationWriter;
}

interface FinalizationInput {
  readonly rotationId: string;
  readonly soakMinutes: number;
}

interface TrimmingInput {
  readonly rotationId: string;
  readonly accountId?: string | undefined;
}

/** What approvers see. Throws what `startFinalization` throws, before anybody is asked. */
export async function previewFinalization(
  read: RotationRows,
  { rotationId, soakMinutes }: FinalizationInput,
  asker: string,
): Promise<Preview> {
  await refuseRunning(read, FINALIZATION);
  await requireFinalizable(read, rotationId);
  const { accountsDone } = await read.rotation.totals(rotationId);
  return {
    headline: `${asker} asks to put the key versions from before rotation ${rotationId} out of use in ${counted(accountsDone, "account")}`,
    changes: [
      { field: "at once", after: "nothing new is encrypted under them" },
      {
        field: soakInWords(soakMinutes),
        after: "nothing under them decrypts any more; backups from before do not open",
      },
    ],
  };
}

/**
 * Begins to put old versions out of use. Throws NOT_FOUND, ROTATION_RUNNING, CONFLICT (the rotation did not complete, or
 * is finalised), KEY_VERSION_IN_USE with counts.
 */
export async function startFinalization(
  tx: FollowUpTransaction,
  { rotationId, soakMinutes }: FinalizationInput,
  asking: Asking,
): Promise<string> {
  await requireFinalizable(tx, rotationId);
  const { accountsDone } = await tx.rotation.totals(rotationId);
  const id = await beginWalking(tx, FINALIZATION, { ...asking, total: 2 * accountsDone });
  await tx.rotation.addFollowUp({ id, rotationId, kind: "finalization", soakMinutes });
  return id;
}

export interface Soak {
  readonly soakUntil: Date;
  /** It is over, and nothing was found below: old versions may stop decrypting. */
  readonly soaked: boolean;
}

/**
 * Looks at whether anything is still under old versions, and takes the next turn: where nothing new can be under them in any
 * account the soak begins, and where it is over that is on record. Throws CANCELLED, KEY_VERSION_IN_USE, CONFLICT (there
 * are accounts left).
 */
export async function turnSoak(
  tx: FollowUpTransaction,
  { operationId, fence }: { readonly operationId: string; readonly fence: number },
  now: Date,
): Promise<Soak> {
  const { rotation, operations } = tx;
  const followUp = (await operations.holds(operationId, fence)) ? await rotation.followUp(operationId) : undefined;
  if (!followUp) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
  const { id, rotationId, soakMinutes = 0, soakUntil: begun, soakedAt } = followUp;
  if ((await rotation.followUpDue(followUp, "encryption", 1)).length > 0)
    throw new HubError("CONFLICT", "There are accounts in which new texts may still be under old versions.");
  await refuseInUse(rotation, rotationId);
  const soakUntil = begun ?? new Date(now.getTime() + soakMinutes * MINUTE_MS);
  if (!begun) await rotation.setSoak(id, soakUntil);
  const soaked = soakedAt !== undefined || soakUntil <= now;
  if (soaked) await rotation.setSoaked(id, now);
  return { soakUntil, soaked };
}

/** What approvers see. Throws what `startTrimming` throws, before anybody is asked. */
export async function previewTrimming(
  read: RotationRows,
  { rotationId, accountId }: TrimmingInput,
  asker: string,
): Promise<Preview> {
  await refuseRunning(read, TRIMMING);
  const { finalizedAt } = await requireFinalized(read, rotationId);
  await requireLeft(read, rotationId, accountId);
  return {
    headline: `${asker} asks to DESTROY the key versions from before rotation ${rotationId}, for ever`,
    changes: [
      { field: "accounts", after: accountId ?? "all that the rotation went through" },
      { field: "finalised", after: finalizedAt?.toISOString() ?? "" },
      { field: "what cannot be undone", after: "no backup from before the rotation can be opened afterwards" },
    ],
  };
}

/**
 * Begins to destroy old versions. Throws NOT_FOUND, ROTATION_RUNNING, CONFLICT (not finalised, or nothing is left to
 * destroy), KEY_VERSION_IN_USE.
 */
export async function startTrimming(
  tx: FollowUpTransaction,
  { rotationId, accountId }: TrimmingInput,
  asking: Asking,
): Promise<string> {
  await requireFinalized(tx, rotationId);
  await requireLeft(tx, rotationId, accountId);
  const { accountsDone } = await tx.rotation.totals(rotationId);
  const id = await beginWalking(tx, TRIMMING, { ...asking, total: accountId === undefined ? accountsDone : 1 });
  const one = accountId !== undefined && { ofAccount: accountId };
  await tx.rotation.addFollowUp({ id, rotationId, kind: "trimming", ...one });
  return id;
}

/**
 * Throws KEY_VERSION_IN_USE with counts, and what to do, while anything is under a version that is to go; backups are named.
 */
export async function refuseInUse(rotation: RotationReader, rotationId: string): Promise<void> {
  const counts = await rotation.inUse(rotationId);
  const named = counts.backups > 0 ? await rotation.backupsInUse(rotationId, MOST_BACKUPS) : [];
  const what = inUseInWords(counts, named);
  if (what === undefined) return;
  throw new HubError("KEY_VERSION_IN_USE", `Still under older versions of their keys: ${what}`, {
    details: { ...counts, ...(named.length > 0 && { backupIds: named.map(({ id }) => id) }) },
  });
}

async function requireFinalizable(rows: RotationRows, rotationId: string): Promise<void> {
  const { rotation, operation } = await findRotation(rows, rotationId);
  if (rotation.finalizedAt)
    throw new HubError("CONFLICT", `It is finalised since ${rotation.finalizedAt.toISOString()}.`);
  if (operation.state === "working") await refuseRunning(rows, ROTATION);
  if (operation.state !== "completed")
    throw new HubError("CONFLICT", `Only a rotation that completed is finalised: this one ${operation.state}.`);
  await refuseInUse(rows.rotation, rotationId);
}

/** There are old versions to destroy: nobody signs for nothing. Throws CONFLICT, or NOT_FOUND of an account that was named. */
async function requireLeft({ rotation }: RotationRows, rotationId: string, ofAccount?: string): Promise<void> {
  // under an id that no operation has: faults keep an account out of the operation that met them, and of no later one
  const asked: FollowUp = { id: v7(), rotationId, kind: "trimming", ...(ofAccount !== undefined && { ofAccount }) };
  if ((await rotation.followUpDue(asked, "trim", 1)).length > 0) return;
  if (ofAccount === undefined)
    throw new HubError(
      "CONFLICT",
      "Nothing is left to destroy: the versions from before this rotation are gone already, or were never put out of use.",
    );
  const message =
    "The rotation left no old versions to destroy in that account, they are gone already, or were never put out of use.";
  throw new HubError("NOT_FOUND", message, { path: "accountId" });
}

async function requireFinalized(rows: RotationRows, rotationId: string): Promise<Rotation> {
  const { rotation } = await findRotation(rows, rotationId);
  if (!rotation.finalizedAt) throw new HubError("CONFLICT", notFinalizedInWords(await getRotation(rows, rotationId)));
  await refuseInUse(rows.rotation, rotationId);
  return rotation;
}
