import type { PersonKey } from "../../../contracts/identity/person-key.ts";
import type { PrincipalKind } from "../../../contracts/identity/principal.ts";

/** The rows of an account's identities, as stores hand them out. Ids are UUIDv7, times UTC. */

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly profile: "solo" | "team";
  readonly isHub: boolean;
  readonly createdAt: Date;
}

export interface PersonRow {
  readonly id: string;
  readonly name: string;
}

export interface PersonKeyRow extends PersonKey {
  readonly personId: string;
  readonly enrolledAt: Date;
  /** Ends by itself then; Ed25519 keys never do. */
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
}

export interface PrincipalRow {
  readonly id: string;
  readonly kind: PrincipalKind;
  readonly name: string;
  /** Who an operator is. */
  readonly person?: PersonRow;
  /** Who an agent answers to. */
  readonly owner?: PersonRow;
  readonly roles: readonly string[];
  /** Grows with whatever changes what the principal may do, bans included. */
  readonly version: number;
  readonly createdAt: Date;
}

export interface TokenRow {
  readonly id: string;
  readonly principalId: string;
  readonly note: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly lastUsedAt?: Date;
  readonly revoked?: { readonly at: Date; readonly by: string };
}

export interface BanRow {
  readonly id: string;
  readonly principalId: string;
  readonly reason: string;
  readonly bannedBy: string;
  readonly bannedAt: Date;
  /** Ends by itself then. */
  readonly until?: Date;
}

export interface InvitationRow {
  readonly id: string;
  readonly personName: string;
  readonly roles: readonly string[];
  readonly createdBy: string;
  readonly expiresAt: Date;
  /** SHA-256 of the code's secret; absent until it was claimed. */
  readonly sha256?: Buffer;
  readonly acceptedAt?: Date;
  readonly cancelledAt?: Date;
}

/** The right to have a secret made, once. */
export interface ClaimRow {
  readonly id: string;
  readonly subject: ClaimSubject;
  readonly createdBy: string;
  readonly expiresAt: Date;
  readonly claimedAt?: Date;
}

export type ClaimSubject =
  | { readonly kind: "token"; readonly principalId: string; readonly note: string; readonly validDays: number }
  | { readonly kind: "invitation"; readonly invitationId: string };
