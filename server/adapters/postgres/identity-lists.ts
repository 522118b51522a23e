import type { BanListing, IdentityReader, PrincipalListing } from "../../domain/identity/identity-store.ts";
import type { TokenRow } from "../../domain/identity/rows.ts";
import type { Page } from "../../domain/page.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";
import {
  type BanColumns,
  type BanListingColumns,
  banIsInForce,
  banListingOf,
  banOf,
  PRINCIPAL_COLUMNS,
  PRINCIPAL_TABLES,
  type PrincipalColumns,
  principalOf,
  TOKEN,
  type TokenColumns,
  tokenOf,
} from "./identity-rows.ts";

type ListedPrincipal = PrincipalColumns & { ban: (Omit<BanColumns, "banned_at" | "until"> & Times) | null };
/** JSON has no times. */
type Times = { banned_at: string; until: string | null };

const PRINCIPALS = `
  select ${PRINCIPAL_COLUMNS}, to_jsonb(b) as ban
  from ${PRINCIPAL_TABLES}
  left join ban b on b.account_id = p.account_id and b.principal_id = p.id and ${banIsInForce("$1")}
  where ($2::text is null or p.kind = $2) and ($3::text is null or $3 = any (p.roles))
    and ($4::uuid is null or $4 in (p.person_id, p.owner_person_id))
    and ($5::boolean is null or (b.id is not null) = $5)
    and ($6::uuid is null or p.id > $6)
  order by p.id limit $7`;

const reference = (alias: string) =>
  `jsonb_build_object('id', ${alias}.id, 'kind', ${alias}.kind, 'name', ${alias}.name)`;

const BANS = `
  select b.id, b.principal_id, b.reason, b.banned_by, b.banned_at, b.until, b.lifted_at, b.lift_reason,
    ${banIsInForce("$1")} as in_force,
    ${reference("p")} as principal, ${reference("banner")} as by, case when lifter.id is not null then ${reference("lifter")} end as lifter
  from ban b
  join principal p on p.account_id = b.account_id and p.id = b.principal_id
  join principal banner on banner.account_id = b.account_id and banner.id = b.banned_by
  left join principal lifter on lifter.account_id = b.account_id and lifter.id = b.lifted_by
  where ($2::uuid is null or b.principal_id = $2) and ($3::boolean is null or (${banIsInForce("$1")}) = $3)
    and ($4::uuid is null or b.id < $4)
  order by b.id desc limit $5`;

export function identityLists(session: Session): Pick<IdentityReader, "listPrincipals" | "listBans"> {
  return {
    async listPrincipals({ kind, role, personId, banned }, { limit, cursor }, now) {
      const [after] = decodeCursor(cursor, ["uuid"]) ?? [];
      const values = [now, kind ?? null, role ?? null, personId ?? null, banned ?? null, after ?? null, limit + 1];
      const { rows } = await session.query<ListedPrincipal>(PRINCIPALS, values);
      const page = pageOf(rows, limit);
      const tokens = await liveTokens(
        session,
        page.items.map(({ id }) => id),
        now,
      );
      const items = page.items.map((row): PrincipalListing => {
        const ban = row.ban && banOf(withTimes(row.ban));
        const own = tokens.filter(({ principalId }) => principalId === row.id);
        return { ...principalOf(row), ...(ban && { ban }), tokens: own };
      });
      return { ...page, items };
    },

    async listBans({ principalId, inForce }, { limit, cursor }, now) {
      const [before] = decodeCursor(cursor, ["uuid"]) ?? [];
      const values = [now, principalId ?? null, inForce ?? null, before ?? null, limit + 1];
      const { rows } = await session.query<BanListingColumns>(BANS, values);
      const page = pageOf(rows, limit);
      return { ...page, items: page.items.map((row): BanListing => banListingOf(row)) };
    },
  };
}

async function liveTokens(session: Session, principalIds: readonly string[], now: Date): Promise<TokenRow[]> {
  const { rows } = await session.query<TokenColumns>(
    `${TOKEN} where principal_id = any ($1) and revoked_at is null and expires_at > $2 order by id`,
    [principalIds, now],
  );
  return rows.map(tokenOf);
}

/** `rows` were asked for with one more than the limit, which tells whether another page follows. */
function pageOf<R extends { id: string }>(rows: R[], limit: number): Page<R> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
}

function withTimes({ banned_at, until, ...ban }: NonNullable<ListedPrincipal["ban"]>): BanColumns {
  return { ...ban, banned_at: new Date(banned_at), until: until === null ? null : new Date(until) };
}
