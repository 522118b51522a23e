import { HubError } from "../../errors.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { PersonKeyRow } from "./rows.ts";

export interface RevokedKey {
  readonly keyId: string;
  readonly personId: string;
  readonly revokedAt: string;
  /** Of the person's other keys, those that sign. */
  readonly left: number;
}

/**
 * Acts at once: nothing that the key signed counts from now on, where it has not been carried out yet. Throws NOT_FOUND,
 * and CONFLICT where it is revoked already, or is the last key of the last person who could administer the account.
 */
export async function revokeKey(
  { identity, events }: IdentityChange,
  { keyId }: { readonly keyId: string },
  { now, caller }: ActingCall,
): Promise<RevokedKey> {
  // one at a time in an account: two keys that are each other's last resort must not both go
  await identity.lockAccount();
  const key = await identity.key(keyId);
  if (!key) throw new HubError("NOT_FOUND", "There is no such key.", { path: "keyId" });
  if (key.revokedAt) {
    throw new HubError("CONFLICT", `This key was revoked on ${key.revokedAt.toISOString()}.`, {
      path: "keyId",
      details: { at: key.revokedAt.toISOString() },
    });
  }
  await refuseLastResort(identity, key, now);
  const { personId } = key;
  await identity.revokeKey(keyId, { at: now, by: caller.principal.id });
  await events.emit({
    type: "identity.key_revoked",
    subject: `identity/person/${personId}`,
    data: { keyId, by: caller.principal.id },
  });
  return { keyId, personId, revokedAt: now.toISOString(), left: await identity.liveKeys(personId, now) };
}

/** An account in which nobody could sign as its administrator is lost. */
async function refuseLastResort(identity: IdentityReader, { keyId }: PersonKeyRow, now: Date): Promise<void> {
  if ((await identity.adminsWithout(keyId, now)) > 0) return;
  // it was lost before: this key has no part in it
  if ((await identity.adminsWithout("", now)) === 0) return;
  const message =
    "This is the last key by which anybody could sign as an administrator; add another (npx countersign keys add-openpgp) before you revoke it.";
  throw new HubError("CONFLICT", message, { path: "keyId" });
}
