import type { ChangedBy } from "./store-credential.ts";

/** Who changes a credential, as the domain wants to know it of a call. */
export const credentialChangedBy = (call: {
  readonly caller: { readonly account: { readonly id: string }; readonly principal: { readonly id: string } };
  readonly now: Date;
}): ChangedBy => ({ accountId: call.caller.account.id, by: call.caller.principal.id, now: call.now });
