import { HubError } from "../../errors.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { isAdmin } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { TokenRow } from "./rows.ts";

/**
 * Acts on the next call with the token. Throws NOT_FOUND, and CONFLICT where it is revoked already, or is the last that
 * lets anybody administer the account.
 */
export async function revokeToken(
  { identity, events }: IdentityChange,
  { tokenId }: { readonly tokenId: string },
  { now, caller }: ActingCall,
): Promise<{ tokenId: string; principalId: string; revokedAt: string }> {
  // one at a time in an account: two tokens that are each other's last resort must not both go
  await identity.lockAccount();
  const token = await identity.lockToken(tokenId);
  if (!token) throw new HubError("NOT_FOUND", "There is no such token.", { path: "tokenId" });
  const { principalId, revoked } = token;
  if (revoked) {
    const message = `This token was revoked on ${revoked.at.toISOString()}, by the principal ${revoked.by}.`;
    throw new HubError("CONFLICT", message, {
      path: "tokenId",
      details: { at: revoked.at.toISOString(), by: revoked.by },
    });
  }
  await refuseLastResort(identity, token, now);
  await identity.revokeToken(tokenId, { at: now, by: caller.principal.id });
  await events.emit({
    type: "identity.token_revoked",
    subject: `identity/token/${tokenId}`,
    data: { principalId, by: caller.principal.id },
  });
  return { tokenId, principalId, revokedAt: now.toISOString() };
}

/** An account that nobody can administer is lost: who could issue a token to an administrator is one. */
async function refuseLastResort(
  identity: IdentityReader,
  { principalId, expiresAt }: TokenRow,
  now: Date,
): Promise<void> {
  if (expiresAt <= now) return;
  const holder = await identity.principal(principalId);
  if (!holder || !isAdmin(holder) || (await identity.banInForce(principalId, now))) return;
  if ((await identity.liveTokens(principalId, now)) > 1 || (await identity.otherAdmins(principalId, now)) > 0) return;
  const message =
    "This is the last token by which anybody could administer the account; issue another with system_identity_issue_token and fetch it before you revoke this one.";
  throw new HubError("CONFLICT", message, { path: "tokenId" });
}
