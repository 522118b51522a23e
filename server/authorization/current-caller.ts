import type { Caller } from "../action/caller.ts";
import type { IdentityLookup } from "../domain/identity/identity-lookup.ts";

/**
 * Who a caller is by now, with the roles and the policy of this moment; undefined where they may not call any more (a ban,
 * a token that was revoked or has expired). For streams that stay open between calls. Throws STORE_UNAVAILABLE.
 */
export async function currentCaller(
  lookup: Pick<IdentityLookup, "token" | "principal">,
  { account: { id: accountId }, principal: { id: principalId }, tokenId }: Caller,
): Promise<Caller | undefined> {
  if (tokenId === undefined) {
    const found = await lookup.principal(accountId, principalId);
    return !found || found.banned ? undefined : { ...pick(found) };
  }
  const found = await lookup.token(tokenId);
  if (!found || found.banned || found.revoked || found.expired) return undefined;
  return { ...pick(found), tokenId };
}

function pick({ account, principal, policy }: Caller): Caller {
  return { account, principal, policy };
}
