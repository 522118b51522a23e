import { together } from "../together.ts";
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
  const [{ id, name, profile }, found, token, people] = await together([
    identity.account(),
    identity.principal(caller.principal.id),
    caller.tokenId === undefined ? undefined : identity.token(caller.tokenId),
    identity.enrolledPeople(now),
  ]);
  const principal = requirePrincipal(found);
  return {
    account: { id, name, profile, people },
    principal: principalView(principal),
    ...(token && { token: tokenView(token) }),
    policy: { version: caller.policy.version, hash: caller.policy.hash },
  };
}
