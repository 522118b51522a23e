import { HubError } from "../../errors.ts";

/** Work across accounts is asked for, judged and recorded in the hub's own. Throws FORBIDDEN. */
export function requireHubAccount({ account }: { readonly account: { readonly isHub: boolean } }): void {
  if (account.isHub) return;
  throw new HubError("FORBIDDEN", "The keys of all accounts are the business of the hub's own account alone.");
}

/** What such work is about. One at a time is judged and begun. */
export const hubTarget = ({ account }: { readonly account: { readonly id: string } }) => ({
  type: "Account" as const,
  id: account.id,
});
