import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import { type AccountKeys, WRAPPING_KEY } from "./account-keys.ts";
import { holdWalk, type Look, type Walker, walkOf } from "./account-walk.ts";
import type { RotationReader, RotationWriter } from "./rotation-store.ts";

export interface AccountWalkTransaction {
  readonly rotation: RotationReader & RotationWriter;
  readonly events: EventWriter;
}

interface Reaching {
  readonly look: Look;
  readonly keys: AccountKeys;
  readonly accountId: string;
}

/** The version that is the latest before the rotation: what is on record already, else what the key service says. */
export async function latestVersion({ rotationId }: Walker, { look, keys, accountId }: Reaching): Promise<number> {
  const walk = await look((rotation) => rotation.walk(rotationId));
  return walk?.fromVersion ?? (await keys.metadata(accountId, WRAPPING_KEY)).latestVersion;
}

/** Puts it on record, durable before anything is rotated. Throws CANCELLED (a higher fence has the walk). */
export async function recordVersion(
  { rotation }: AccountWalkTransaction,
  { rotationId, fence }: Walker,
  fromVersion: number,
  at: Date,
): Promise<void> {
  if (await rotation.beginWalk({ rotationId, fence, fromVersion, at })) return;
  throw new HubError("CANCELLED", "Another process carries this walk on.");
}

/**
 * Rotates the key, once: a process that was killed after it did finds a version that is later than the one on record, and
 * makes no second one. Answers with the latest version. Throws KEY_NOT_FOUND where the key service has fewer versions than
 * are on record: then it is another one, or one put back from an older backup.
 */
export async function rotateOnce(walker: Walker, { look, keys, accountId }: Reaching): Promise<number> {
  const walk = await walkOf(look, walker);
  if (walk.toVersion !== undefined) return walk.toVersion;
  const { latestVersion: latest } = await keys.metadata(accountId, WRAPPING_KEY);
  if (latest < walk.fromVersion)
    throw new HubError(
      "KEY_NOT_FOUND",
      `The key has ${latest} versions, and had ${walk.fromVersion}: it is not the same key.`,
    );
  if (latest > walk.fromVersion) return latest;
  return (await keys.rotate(accountId, WRAPPING_KEY)).latestVersion;
}

/** What the rotation came to. Answers with whether nothing of the account's is left to carry over. */
export async function recordRotation(
  { rotation, events }: AccountWalkTransaction,
  walker: Walker,
  toVersion: number,
  at: Date,
): Promise<{ readonly from: number; readonly to: number; readonly finished: boolean }> {
  const { rotationId } = walker;
  const walk = await holdWalk(rotation, walker);
  const to = walk.toVersion ?? toVersion;
  if (walk.toVersion === undefined) {
    await rotation.setRotated(rotationId, to);
    await rotation.setAccountKey(to, at);
    await events.emit({
      type: "vault.key_rotated",
      subject: "vault/transit/data",
      data: { rotationId, from: walk.fromVersion, to },
    });
  }
  const finished = (await rotation.credentialsBelow(rotationId, to, { limit: 1 })).length === 0;
  if (finished && walk.state !== "done") await rotation.finishWalk(rotationId, at);
  return { from: walk.fromVersion, to, finished };
}
