import type { PrincipalKind } from "../../../contracts/identity/principal.ts";

/** A principal as a call needs it, with its account and the policy in force. */
export interface FoundPrincipal {
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly profile: "solo" | "team";
    readonly isHub: boolean;
  };
  readonly principal: {
    readonly id: string;
    readonly kind: PrincipalKind;
    readonly name: string;
    readonly roles: readonly string[];
    readonly personId?: string;
    readonly ownerPersonId?: string;
  };
  readonly policy: { readonly version: number; readonly hash: string };
  readonly banned: boolean;
}

export interface FoundToken extends FoundPrincipal {
  /** SHA-256 of the secret's bytes. */
  readonly sha256: Buffer;
  readonly expired: boolean;
  readonly revoked: boolean;
  /** The last use that is on record is more than a minute old. */
  readonly useIsStale: boolean;
}

export interface FoundInvitation {
  readonly accountId: string;
  /** The account's own hub service, in whose name the hub accepts. */
  readonly hubPrincipalId: string;
  /** SHA-256 of the code's secret. */
  readonly sha256: Buffer;
}

/**
 * The look-ups that come before an account is known: across accounts, by an id alone, each in one round trip. What
 * has expired is told by the database's clock. Each throws STORE_UNAVAILABLE.
 */
export interface IdentityLookup {
  token(tokenId: string): Promise<FoundToken | undefined>;
  principal(accountId: string, principalId: string): Promise<FoundPrincipal | undefined>;
  /** Undefined for one whose code was never claimed. */
  invitation(invitationId: string): Promise<FoundInvitation | undefined>;
  /** Notes that these tokens were used, now. */
  touchTokens(tokenIds: readonly string[]): Promise<void>;
}
