import { counted } from "../../../contracts/vault/counted.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import { type AccountKeys, WRAPPING_KEY } from "./account-keys.ts";
import { type Look, rotated } from "./account-walk.ts";
import type { FollowUpStep, RotationReader, RotationWriter } from "./rotation-store.ts";

export interface FloorInput {
  readonly rotationId: string;
  readonly floor: Exclude<FollowUpStep, "trim">;
}

interface Reaching {
  readonly look: Look;
  readonly keys: AccountKeys;
  readonly accountId: string;
}

/**
 * Puts the versions before a rotation's out of use in the key service: first for what is new, and after a soak for what is
 * there. Never lowers what others raised. Answers with the version. Throws KEY_VERSION_IN_USE where anything of the
 * account's would not open any more, CONFLICT where new texts may still be under them.
 */
export async function raiseFloor(
  { rotationId, floor }: FloorInput,
  { look, keys, accountId }: Reaching,
): Promise<number> {
  const { toVersion, encryptionFloorAt } = rotated(await requireWalk(look, rotationId));
  const standing = await keys.metadata(accountId, WRAPPING_KEY);
  if (floor === "encryption") {
    if (standing.minEncryptionVersion < toVersion)
      await keys.configure(accountId, WRAPPING_KEY, { minEncryptionVersion: toVersion });
    return toVersion;
  }
  if (!encryptionFloorAt) throw new HubError("CONFLICT", "New texts may still be under the old version.");
  // since the floor for what is new was committed, nothing below can be stored: this count can only fall
  const below = await look((rotation) => rotation.countBelow(toVersion));
  if (below > 0)
    throw new HubError(
      "KEY_VERSION_IN_USE",
      `${counted(below, "record")} of an account still below version ${toVersion} of its key.`,
      {
        details: { below, version: toVersion },
      },
    );
  if (standing.minDecryptionVersion < toVersion)
    await keys.configure(accountId, WRAPPING_KEY, { minDecryptionVersion: toVersion });
  return toVersion;
}

export async function recordFloor(
  { rotation, events }: { readonly rotation: RotationReader & RotationWriter; readonly events: EventWriter },
  { rotationId, floor }: FloorInput,
  version: number,
  at: Date,
): Promise<void> {
  await rotation.markStep(rotationId, floor, at);
  if (floor === "encryption") await rotation.raiseFloor(version);
  await events.emit({
    type: "vault.key_floor_raised",
    subject: "vault/transit/data",
    data: { rotationId, floor, version },
  });
}

/** Destroys the versions before a rotation's that is finalised here. Answers with the oldest that is left. Throws CONFLICT. */
export async function trimKey(rotationId: string, { look, keys, accountId }: Reaching): Promise<number> {
  const { toVersion, decryptionFloorAt } = rotated(await requireWalk(look, rotationId));
  if (!decryptionFloorAt) throw new HubError("CONFLICT", "The rotation is not finalised in this account.");
  const standing = await keys.metadata(accountId, WRAPPING_KEY);
  if (standing.minAvailableVersion >= toVersion) return standing.minAvailableVersion;
  return (await keys.trim(accountId, WRAPPING_KEY, toVersion)).minAvailableVersion;
}

export async function recordTrim(
  { rotation, events }: { readonly rotation: RotationReader & RotationWriter; readonly events: EventWriter },
  rotationId: string,
  oldest: number,
  at: Date,
): Promise<void> {
  await rotation.markStep(rotationId, "trim", at);
  await events.emit({ type: "vault.key_trimmed", subject: "vault/transit/data", data: { rotationId, oldest } });
}

async function requireWalk(look: Look, rotationId: string) {
  const walk = await look((rotation) => rotation.walk(rotationId));
  if (walk) return walk;
  throw new HubError("NOT_FOUND", "The rotation has not come to this account.");
}
