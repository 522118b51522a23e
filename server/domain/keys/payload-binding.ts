/**
 * What a text under an account's key is bound to, as associated data: moved to another row, it does not open. Whoever seals
 * it, opens it, or carries it over to a new version of the key says the same here.
 */
type Binding = { readonly associatedData: Buffer };

const bound = (text: string): Binding => ({ associatedData: Buffer.from(text) });

export const boundToRequest = (accountId: string, requestId: string, what: "held" | "result"): Binding =>
  bound(`approval-request ${what} ${accountId} ${requestId}`);

export const boundToCall = (callId: string): Binding => bound(`idempotency/${callId}`);
