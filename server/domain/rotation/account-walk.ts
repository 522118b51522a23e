import { type ErrorCode, HubError } from "../../errors.ts";
import type { AccountWalk, RotatedWalk, RotationReader, RotationWriter } from "./rotation-store.ts";

/** Who walks: a rotation, and the fence of whoever carries it on. */
export interface Walker {
  readonly rotationId: string;
  readonly fence: number;
}

/** How an external action of the walk looks at the account's rows while it reaches out. */
export type Look = <T>(look: (rotation: RotationReader) => Promise<T>) => Promise<T>;

/** The walk as this walker may carry it on. Throws NOT_FOUND, CANCELLED (a higher fence has it). */
export async function walkOf(look: Look, { rotationId, fence }: Walker): Promise<AccountWalk> {
  const walk = await look((rotation) => rotation.walk(rotationId));
  if (!walk) throw new HubError("NOT_FOUND", "The rotation has not come to this account yet.");
  if (walk.fence > fence) throw takenOver();
  return walk;
}

/** Throws CONFLICT where the key was not rotated yet. */
export function rotated(walk: AccountWalk): RotatedWalk {
  const { toVersion } = walk;
  if (toVersion === undefined) throw new HubError("CONFLICT", "The account's key was not rotated yet.");
  return { ...walk, toVersion };
}

/** Takes the walk over for the transaction. Throws CANCELLED where a higher fence has it. */
export async function holdWalk(rotation: RotationWriter, { rotationId, fence }: Walker): Promise<AccountWalk> {
  const walk = await rotation.holdWalk(rotationId, fence);
  if (!walk) throw takenOver();
  return walk;
}

/** A batch was made for the walk as it was: throws CONFLICT where another batch came first. */
export function requireSamePlace(before: AccountWalk, now: AccountWalk): void {
  if (before.batches === now.batches && before.passes === now.passes) return;
  throw new HubError("CONFLICT", "Another batch of this walk came first.");
}

/** What a key service says of one text alone: the record is told as failed, and the walk goes on. */
const RECORD_FAULTS: readonly ErrorCode[] = [
  "CIPHERTEXT_INVALID",
  "KEY_VERSION_TOO_OLD",
  "KEY_NOT_FOUND",
  "INPUT_TOO_LARGE",
];

/** Throws what is no fault of the record's own: the service is away, and says nothing about it. */
export function recordFault(error: HubError): ErrorCode {
  if (RECORD_FAULTS.includes(error.code)) return error.code;
  throw error;
}

function takenOver(): HubError {
  return new HubError("CANCELLED", "Another process carries this walk on.");
}
