import type { PersonKeyShape } from "../../../contracts/identity/person-key.ts";
import type {
  BanShape,
  PrincipalReference,
  PrincipalShape,
  TokenShape,
} from "../../../contracts/identity/principal.ts";
import type { BanListing, KeyListing, PrincipalListing } from "./identity-store.ts";
import type { BanRow, PrincipalRow, TokenRow } from "./rows.ts";

/** Rows as actions answer with them. */

export function principalReferenceView({ id, kind, name }: PrincipalReference): PrincipalReference {
  return { id, kind, name };
}

export function principalView(row: PrincipalRow): PrincipalShape {
  return {
    ...principalReferenceView(row),
    // the store holds no other
    roles: row.roles as PrincipalShape["roles"],
    ...(row.person && { person: { id: row.person.id, name: row.person.name } }),
    ...(row.owner && { owner: { id: row.owner.id, name: row.owner.name } }),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
  };
}

export function tokenView({ id, note, createdAt, expiresAt, lastUsedAt }: TokenRow): TokenShape {
  return {
    id,
    note,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ...(lastUsedAt && { lastUsedAt: lastUsedAt.toISOString() }),
  };
}

export function principalListingView({ ban, tokens, ...row }: PrincipalListing) {
  return { ...principalView(row), ...(ban && { banned: banNote(ban) }), tokens: tokens.map(tokenView) };
}

export function banView(ban: BanListing): BanShape {
  return {
    id: ban.id,
    principal: principalReferenceView(ban.principal),
    reason: ban.reason,
    bannedBy: principalReferenceView(ban.by),
    bannedAt: ban.bannedAt.toISOString(),
    ...(ban.until && { until: ban.until.toISOString() }),
    inForce: ban.inForce,
    ...(ban.lifted && {
      lifted: {
        at: ban.lifted.at.toISOString(),
        by: principalReferenceView(ban.lifted.by),
        reason: ban.lifted.reason,
      },
    }),
  };
}

export function keyView(key: KeyListing, now: Date, withPublicKey = false): PersonKeyShape {
  const { keyId, algorithm, person, enrolledAt, expiresAt, revokedAt, revokedBy, publicKey } = key;
  const state = revokedAt ? "revoked" : expiresAt && expiresAt <= now ? "expired" : "live";
  return {
    ...{ id: keyId, algorithm, person: { id: person.id, name: person.name }, state },
    enrolledAt: enrolledAt.toISOString(),
    ...(expiresAt && { expiresAt: expiresAt.toISOString() }),
    ...(revokedAt && {
      revoked: { at: revokedAt.toISOString(), ...(revokedBy && { by: principalReferenceView(revokedBy) }) },
    }),
    ...(withPublicKey && { publicKey: publicKey.toString("base64") }),
  };
}

function banNote({ id, reason, bannedAt, until }: BanRow) {
  return { id, reason, bannedAt: bannedAt.toISOString(), ...(until && { until: until.toISOString() }) };
}
