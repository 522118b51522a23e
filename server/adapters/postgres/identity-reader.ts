import type { IdentityReader } from "../../domain/identity/identity-store.ts";
import type { PersonRow } from "../../domain/identity/rows.ts";
import type { Session } from "./database.ts";
import {
  ACCOUNT,
  type AccountColumns,
  accountOf,
  type BanColumns,
  banIsInForce,
  banOf,
  INVITATION,
  type InvitationColumns,
  invitationOf,
  KEY,
  type KeyColumns,
  keyIsLive,
  keyOf,
  PRINCIPAL,
  type PrincipalColumns,
  principalOf,
  TOKEN,
  type TokenColumns,
  tokenOf,
} from "./identity-rows.ts";

const MAX_PRINCIPALS_OF_A_PERSON = 50;

/** Operators `p` that can act and whose person can sign, at the time `$now`, with a key that `keys` does not leave out. */
const ableOperators = ($now: string, keys = "") => `principal p
  where p.kind = 'operator'
    and exists (select from person_key k where k.account_id = p.account_id and k.person_id = p.person_id and ${keyIsLive($now)}${keys})
    and not exists (select from ban b where b.account_id = p.account_id and b.principal_id = p.id and ${banIsInForce($now)})`;

/** Holds `admin` and has a token that works, at the time `$1`. */
const ADMINISTERS = `'admin' = any (p.roles) and exists (select from token t
  where t.account_id = p.account_id and t.principal_id = p.id and t.revoked_at is null and t.expires_at > $1)`;

export function identityReader(session: Session): IdentityReader {
  const first = async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R | undefined> =>
    (await session.query<R>(text, values)).rows[0];
  const count = async (text: string, values: readonly unknown[]): Promise<number> =>
    (await first<{ count: number }>(`select count(*)::integer as count from (${text}) counted`, values))?.count ?? 0;
  return {
    async account() {
      const row = await first<AccountColumns>(ACCOUNT);
      if (!row) throw new TypeError("a transaction for an account that does not exist");
      return accountOf(row);
    },

    async principal(id) {
      const row = await first<PrincipalColumns>(`${PRINCIPAL} where p.id = $1`, [id]);
      return row && principalOf(row);
    },

    async principalNamed(name) {
      const row = await first<PrincipalColumns>(`${PRINCIPAL} where lower(p.name) = lower($1)`, [name]);
      return row && principalOf(row);
    },

    person: (id) => first<PersonRow>("select id, name from person where id = $1", [id]),

    async token(id) {
      const row = await first<TokenColumns>(`${TOKEN} where id = $1`, [id]);
      return row && tokenOf(row);
    },

    async banInForce(principalId, now) {
      const text = `select b.id, b.principal_id, b.reason, b.banned_by, b.banned_at, b.until from ban b
        where b.principal_id = $1 and ${banIsInForce("$2")}`;
      const row = await first<BanColumns>(text, [principalId, now]);
      return row && banOf(row);
    },

    async invitation(id) {
      const row = await first<InvitationColumns>(`${INVITATION} where id = $1`, [id]);
      return row && invitationOf(row);
    },

    async key(keyId) {
      const row = await first<KeyColumns>(`${KEY} where key_id = $1`, [keyId]);
      return row && keyOf(row);
    },

    liveKeys: (personId, now) =>
      count(`select from person_key k where k.person_id = $1 and ${keyIsLive("$2")}`, [personId, now]),

    liveTokens: (principalId, now) =>
      count("select from token where principal_id = $1 and revoked_at is null and expires_at > $2", [principalId, now]),

    async unbannedOf(personId, now) {
      const { rows } = await session.query<PrincipalColumns>(
        `${PRINCIPAL} where $1 in (p.person_id, p.owner_person_id)
           and not exists (select from ban b where b.account_id = p.account_id and b.principal_id = p.id and ${banIsInForce("$2")})
         order by p.id limit ${MAX_PRINCIPALS_OF_A_PERSON}`,
        [personId, now],
      );
      return rows.map(principalOf);
    },

    enrolledPeople: (now) => count(`select distinct p.person_id from ${ableOperators("$1")}`, [now]),

    otherAdmins: (principalId, now) =>
      count(`select from ${ableOperators("$1")} and p.id <> $2 and ${ADMINISTERS}`, [now, principalId]),

    adminsWithout: (keyId, now) =>
      count(`select from ${ableOperators("$1", " and k.key_id <> $2")} and ${ADMINISTERS}`, [now, keyId]),
  };
}
