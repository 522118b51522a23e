import type { ActingCall } from "./acting-call.ts";
import { requirePrincipal } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import { principalView, tokenView } from "./views.ts";

interface WhoamiCall extends ActingCall {
  readonly caller: ActingCall["caller"] & {
    readonly policy: { readonly version: number; readonly hash: string };
    readonly tokenId?: string;
  };
}

/** Who the caller is, where, and under which policy. */
export async function whoami(identity: IdentityReader, { now, caller }: WhoamiCall) {
  const { id, name, profile } = await identity.account();
  const principal = requirePrincipal(await identity.principal(caller.principal.id));
  const token = caller.tokenId === undefined ? undefined : await identity.token(caller.tokenId);
  const people = await identity.enrolledPeople(now);
  return {
    account: { id, name, profile, people },
    principal: principalView(principal),
    ...(token && { token: tokenView(token) }),
    policy: { version: caller.policy.version, hash: caller.policy.hash },
  };
}
