import { HubError } from "../../errors.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";

/** Acts on the next call with the token. Throws NOT_FOUND, and CONFLICT where it is revoked already. */
export async function revokeToken(
  { identity, events }: IdentityChange,
  { tokenId }: { readonly tokenId: string },
  { now, caller }: ActingCall,
): Promise<{ tokenId: string; principalId: string; revokedAt: string }> {
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
  await identity.revokeToken(tokenId, { at: now, by: caller.principal.id });
  await events.emit({
    type: "identity.token_revoked",
    subject: `identity/token/${tokenId}`,
    data: { principalId, by: caller.principal.id },
  });
  return { tokenId, principalId, revokedAt: now.toISOString() };
}
