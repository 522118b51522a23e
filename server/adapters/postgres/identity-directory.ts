import type { PrincipalKind, PrincipalReference } from "../../../contracts/identity/principal.ts";
import type { Prisma } from "../../../prisma/client/client.ts";
import type {
  BanListing,
  IdentityDirectory,
  KeyFilter,
  KeyListing,
  PrincipalFilter,
  PrincipalListing,
} from "../../domain/identity/identity-store.ts";
import type { Page } from "../../domain/page.ts";
import type { AdministrativeReads } from "./administrative-reads.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

const REFERENCE = { id: true, kind: true, name: true } as const satisfies Prisma.PrincipalSelect;
const PERSON = { id: true, name: true } as const satisfies Prisma.PersonSelect;
const BAN = {
  id: true,
  principalId: true,
  reason: true,
  bannedBy: true,
  bannedAt: true,
  until: true,
} as const satisfies Prisma.BanSelect;
const BAN_LISTING = {
  ...BAN,
  liftedAt: true,
  liftReason: true,
  principal: { select: REFERENCE },
  banner: { select: REFERENCE },
  lifter: { select: REFERENCE },
} as const satisfies Prisma.BanSelect;
const TOKEN = {
  id: true,
  principalId: true,
  note: true,
  createdAt: true,
  expiresAt: true,
  lastUsedAt: true,
} as const satisfies Prisma.TokenSelect;

const KEY_LISTING = {
  keyId: true,
  algorithm: true,
  publicKey: true,
  enrolledAt: true,
  expiresAt: true,
  revokedAt: true,
  person: { select: PERSON },
  revoker: { select: REFERENCE },
} as const satisfies Prisma.PersonKeySelect;

const principalListing = (now: Date) =>
  ({
    ...REFERENCE,
    roles: true,
    version: true,
    createdAt: true,
    person: { select: PERSON },
    owner: { select: PERSON },
    bans: { where: inForceAt(now), select: BAN },
    tokens: { where: { revokedAt: null, expiresAt: { gt: now } }, orderBy: { id: "asc" }, select: TOKEN },
  }) as const satisfies Prisma.PrincipalSelect;

type BanFound = Prisma.BanGetPayload<{ select: typeof BAN }>;
type BanListed = Prisma.BanGetPayload<{ select: typeof BAN_LISTING }>;
type KeyListed = Prisma.PersonKeyGetPayload<{ select: typeof KEY_LISTING }>;
type PrincipalListed = Prisma.PrincipalGetPayload<{ select: ReturnType<typeof principalListing> }>;
type TokenFound = Prisma.TokenGetPayload<{ select: typeof TOKEN }>;

/** Lists of one account's identities. */
export function identityDirectory(reads: AdministrativeReads, accountId: string): IdentityDirectory {
  return {
    async listPrincipals(filter, { limit, cursor }, now) {
      const after = idIn(cursor);
      const where = { ...matching(filter, now), ...(after !== undefined && { id: { gt: after } }) };
      const select = principalListing(now);
      const rows = await reads.read(accountId, ({ principal }) =>
        principal.findMany({ where, select, orderBy: { id: "asc" }, take: limit + 1 }),
      );
      return pageOf(rows.map(principalListed), limit);
    },

    async listBans({ principalId, inForce }, { limit, cursor }, now) {
      const before = idIn(cursor);
      const where: Prisma.BanWhereInput = {
        ...(principalId !== undefined && { principalId }),
        ...(inForce !== undefined && (inForce ? inForceAt(now) : { NOT: inForceAt(now) })),
        ...(before !== undefined && { id: { lt: before } }),
      };
      const rows = await reads.read(accountId, ({ ban }) =>
        ban.findMany({ where, select: BAN_LISTING, orderBy: { id: "desc" }, take: limit + 1 }),
      );
      return pageOf(
        rows.map((row) => banListed(row, now)),
        limit,
      );
    },

    async listKeys(filter, { limit, cursor }, now) {
      const [after] = decodeCursor(cursor, ["string"]) ?? [];
      const where = { ...matchingKeys(filter, now), ...(after !== undefined && { keyId: { gt: String(after) } }) };
      const rows = await reads.read(accountId, ({ personKey }) =>
        personKey.findMany({ where, select: KEY_LISTING, orderBy: { keyId: "asc" }, take: limit + 1 }),
      );
      const items = rows.slice(0, limit).map(keyListed);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.keyId]) } : { items };
    },
  };
}

/** What ends a ban by itself counts as over, whether or not a later ban has closed it. */
function inForceAt(now: Date) {
  return { liftedAt: null, OR: [{ until: null }, { until: { gt: now } }] } satisfies Prisma.BanWhereInput;
}

function matching({ kind, role, personId, banned }: PrincipalFilter, now: Date): Prisma.PrincipalWhereInput {
  return {
    ...(kind !== undefined && { kind }),
    ...(role !== undefined && { roles: { has: role } }),
    ...(personId !== undefined && { OR: [{ personId }, { ownerPersonId: personId }] }),
    ...(banned !== undefined && { bans: banned ? { some: inForceAt(now) } : { none: inForceAt(now) } }),
  };
}

function matchingKeys({ personId, live }: KeyFilter, now: Date): Prisma.PersonKeyWhereInput {
  const isLive = { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  return {
    ...(personId !== undefined && { personId }),
    ...(live !== undefined && (live ? isLive : { NOT: isLive })),
  };
}

function keyListed({ algorithm, publicKey, expiresAt, revokedAt, revoker, person, ...row }: KeyListed): KeyListing {
  return {
    ...{ ...row, person, personId: person.id, publicKey: Buffer.from(publicKey) },
    // the table's check says which there are
    algorithm: algorithm as KeyListing["algorithm"],
    ...(expiresAt && { expiresAt }),
    ...(revokedAt && { revokedAt }),
    ...(revoker && { revokedBy: reference(revoker) }),
  };
}

function idIn(cursor: string | undefined): string | undefined {
  const [id] = decodeCursor(cursor, ["uuid"]) ?? [];
  return id === undefined ? undefined : String(id);
}

/** `rows` were asked for with one more than the limit, which tells whether another page follows. */
function pageOf<R extends { readonly id: string }>(rows: R[], limit: number): Page<R> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
}

function principalListed({ person, owner, bans, tokens, ...row }: PrincipalListed): PrincipalListing {
  const [ban] = bans; // at most one is in force
  return {
    ...{ ...row, ...reference(row) },
    ...(person && { person }),
    ...(owner && { owner }),
    ...(ban && { ban: banFound(ban) }),
    tokens: tokens.map(tokenFound),
  };
}

function tokenFound({ lastUsedAt, ...token }: TokenFound) {
  return { ...token, ...(lastUsedAt && { lastUsedAt }) };
}

function banFound({ until, ...ban }: BanFound) {
  return { ...ban, ...(until && { until }) };
}

function banListed({ liftedAt: at, liftReason, principal, banner, lifter, ...ban }: BanListed, now: Date): BanListing {
  return {
    ...banFound(ban),
    principal: reference(principal),
    by: reference(banner),
    inForce: at === null && (ban.until === null || ban.until > now),
    ...(at && lifter && liftReason !== null && { lifted: { at, by: reference(lifter), reason: liftReason } }),
  };
}

/** The table's check says which kinds there are. */
function reference({ id, kind, name }: { id: string; kind: string; name: string }): PrincipalReference {
  return { id, kind: kind as PrincipalKind, name };
}
