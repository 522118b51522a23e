import type { PrincipalKind } from "../../../contracts/identity/principal.ts";
import type {
  AccountRow,
  BanRow,
  ClaimRow,
  ClaimSubject,
  InvitationRow,
  PersonKeyRow,
  PrincipalRow,
  TokenRow,
} from "../../domain/identity/rows.ts";

/** Columns as the database names them, and the rows that the domain knows. */

export const ACCOUNT = "select id, name, profile, is_hub, created_at from account";

export interface AccountColumns {
  id: string;
  name: string;
  profile: AccountRow["profile"];
  is_hub: boolean;
  created_at: Date;
}

export function accountOf({ is_hub: isHub, created_at: createdAt, ...row }: AccountColumns): AccountRow {
  return { ...row, isHub, createdAt };
}

export const PRINCIPAL = `select p.id, p.kind, p.name, p.roles, p.version, p.created_at,
    p.person_id, person.name as person_name, p.owner_person_id, owner.name as owner_name
  from principal p
  left join person on person.account_id = p.account_id and person.id = p.person_id
  left join person owner on owner.account_id = p.account_id and owner.id = p.owner_person_id`;

export interface PrincipalColumns {
  id: string;
  kind: PrincipalKind;
  name: string;
  roles: string[];
  version: number;
  created_at: Date;
  person_id: string | null;
  person_name: string | null;
  owner_person_id: string | null;
  owner_name: string | null;
}

export function principalOf(row: PrincipalColumns): PrincipalRow {
  const { id, kind, name, roles, version, created_at: createdAt } = row;
  return {
    ...{ id, kind, name, roles, version, createdAt },
    ...(row.person_id !== null && { person: { id: row.person_id, name: row.person_name ?? "" } }),
    ...(row.owner_person_id !== null && { owner: { id: row.owner_person_id, name: row.owner_name ?? "" } }),
  };
}

export const TOKEN =
  "select id, principal_id, note, created_at, expires_at, last_used_at, revoked_at, revoked_by from token";

export interface TokenColumns {
  id: string;
  principal_id: string;
  note: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
  revoked_by: string | null;
}

export function tokenOf(row: TokenColumns): TokenRow {
  const { id, principal_id: principalId, note, created_at: createdAt, expires_at: expiresAt } = row;
  const { last_used_at: lastUsedAt, revoked_at: at, revoked_by: by } = row;
  return {
    ...{ id, principalId, note, createdAt, expiresAt },
    ...(lastUsedAt && { lastUsedAt }),
    ...(at && by !== null && { revoked: { at, by } }),
  };
}

/** What ends a ban by itself counts as over, whether or not a later ban has closed it. `$now` is the time to judge by. */
export const banIsInForce = ($now: string) => `b.lifted_at is null and (b.until is null or b.until > ${$now})`;

export interface BanColumns {
  id: string;
  principal_id: string;
  reason: string;
  banned_by: string;
  banned_at: Date;
  until: Date | null;
}

export function banOf(row: BanColumns): BanRow {
  const { id, principal_id: principalId, reason, banned_by: bannedBy, banned_at: bannedAt, until } = row;
  return { id, principalId, reason, bannedBy, bannedAt, ...(until && { until }) };
}

export const INVITATION =
  "select id, person_name, roles, created_by, expires_at, sha256, accepted_at, cancelled_at from invitation";

export interface InvitationColumns {
  id: string;
  person_name: string;
  roles: string[];
  created_by: string;
  expires_at: Date;
  sha256: Buffer | null;
  accepted_at: Date | null;
  cancelled_at: Date | null;
}

export function invitationOf(row: InvitationColumns): InvitationRow {
  const { id, person_name: personName, roles, created_by: createdBy, expires_at: expiresAt } = row;
  const { sha256, accepted_at: acceptedAt, cancelled_at: cancelledAt } = row;
  return {
    ...{ id, personName, roles, createdBy, expiresAt },
    ...(sha256 && { sha256 }),
    ...(acceptedAt && { acceptedAt }),
    ...(cancelledAt && { cancelledAt }),
  };
}

export const CLAIM = `select id, kind, principal_id, note, valid_days, invitation_id, created_by, expires_at, claimed_at
  from claim`;

/** The table's checks say which columns are null for which kind. */
export type ClaimColumns = { id: string; created_by: string; expires_at: Date; claimed_at: Date | null } & (
  | { kind: "token"; principal_id: string; note: string; valid_days: number }
  | { kind: "invitation"; invitation_id: string }
);

export function claimOf(row: ClaimColumns): ClaimRow {
  const { id, created_by: createdBy, expires_at: expiresAt, claimed_at: claimedAt } = row;
  return { id, subject: claimSubjectOf(row), createdBy, expiresAt, ...(claimedAt && { claimedAt }) };
}

function claimSubjectOf(row: ClaimColumns): ClaimSubject {
  if (row.kind === "invitation") return { kind: "invitation", invitationId: row.invitation_id };
  return { kind: "token", principalId: row.principal_id, note: row.note, validDays: row.valid_days };
}

export const KEY =
  "select key_id, person_id, algorithm, public_key, enrolled_at, expires_at, revoked_at from person_key";

export interface KeyColumns {
  key_id: string;
  person_id: string;
  algorithm: PersonKeyRow["algorithm"];
  public_key: Buffer;
  enrolled_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
}

export function keyOf(row: KeyColumns): PersonKeyRow {
  const { key_id: keyId, person_id: personId, algorithm, public_key: publicKey } = row;
  const { enrolled_at: enrolledAt, expires_at: expiresAt, revoked_at: revokedAt } = row;
  const key = { keyId, personId, algorithm, publicKey, enrolledAt };
  return { ...key, ...(expiresAt && { expiresAt }), ...(revokedAt && { revokedAt }) };
}

/** A condition on keys `k` at the time `$now`. */
export const keyIsLive = ($now: string): string =>
  `k.revoked_at is null and (k.expires_at is null or k.expires_at > ${$now})`;
