import type { HubError } from "../errors.ts";
import type { Caller } from "./caller.ts";

export type Identification =
  | { readonly caller: Caller }
  | {
      readonly refusal: HubError;
      /** Whose token it was, where it is known but no longer counts: the refusal is recorded in that account. */
      readonly known?: { readonly accountId: string; readonly principal: Caller["principal"] };
    };

/** Who a credential stands for, read from the database for each call. */
export interface Identifier {
  /**
   * Refusals: UNAUTHENTICATED (missing, malformed, unknown or wrong token: one answer for all), TOKEN_EXPIRED,
   * TOKEN_REVOKED, PRINCIPAL_BANNED. Throws STORE_UNAVAILABLE only.
   */
  byToken(token: string | undefined): Promise<Identification>;
  /** For a job that acts for a principal. Refusals: NOT_FOUND, PRINCIPAL_BANNED. */
  byPrincipal(accountId: string, principalId: string): Promise<Identification>;
}
