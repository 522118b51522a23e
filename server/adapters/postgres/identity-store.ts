import type { IdentityReader, IdentityWriter } from "../../domain/identity/identity-store.ts";
import { HubError } from "../../errors.ts";
import type { Session } from "./database.ts";
import { identityReader } from "./identity-reader.ts";
import {
  ACCOUNT,
  type AccountColumns,
  accountOf,
  CLAIM,
  type ClaimColumns,
  claimOf,
  INVITATION,
  type InvitationColumns,
  invitationOf,
  PRINCIPAL,
  type PrincipalColumns,
  principalOf,
  TOKEN,
  type TokenColumns,
  tokenOf,
} from "./identity-rows.ts";

const ACCOUNT_ID = "current_setting('app.account_id')::uuid";
/** Weaker than FOR UPDATE: rows that refer to this one can still be added meanwhile. */
const LOCKED = "for no key update";

/** Identities of the account that the session's transaction carries. */
export function identityStore(session: Session): IdentityReader & IdentityWriter {
  const lock = async <R extends object>(text: string, values: readonly unknown[] = []): Promise<R | undefined> =>
    (await session.query<R>(text, values)).rows[0];
  const change = async (text: string, values: readonly unknown[]): Promise<void> => {
    const { rowCount } = await session.query(text, values);
    // whoever changes a row has it locked, in the state that it changes from
    if (rowCount !== 1) throw new TypeError(`a change of one row touched ${rowCount}: ${text}`);
  };
  const add = async (text: string, values: readonly unknown[], taken?: HubError): Promise<void> => {
    const { rowCount } = await session.query(taken ? `${text} on conflict do nothing` : text, values);
    if (rowCount !== 1 && taken) throw taken;
  };

  return {
    ...identityReader(session),

    async lockAccount() {
      const row = await lock<AccountColumns>(`${ACCOUNT} ${LOCKED}`);
      if (!row) throw new TypeError("a transaction for an account that does not exist");
      return accountOf(row);
    },

    async lockPrincipal(id) {
      const row = await lock<PrincipalColumns>(`${PRINCIPAL} where p.id = $1 ${LOCKED} of p`, [id]);
      return row && principalOf(row);
    },

    async lockToken(id) {
      const row = await lock<TokenColumns>(`${TOKEN} where id = $1 ${LOCKED}`, [id]);
      return row && tokenOf(row);
    },

    async lockInvitation(id) {
      const row = await lock<InvitationColumns>(`${INVITATION} where id = $1 ${LOCKED}`, [id]);
      return row && invitationOf(row);
    },

    async lockClaim(id) {
      const row = await lock<ClaimColumns>(`${CLAIM} where id = $1 ${LOCKED}`, [id]);
      return row && claimOf(row);
    },

    addPerson: ({ id, name, createdAt }) =>
      add(`insert into person (account_id, id, name, created_at) values (${ACCOUNT_ID}, $1, $2, $3)`, [
        id,
        name,
        createdAt,
      ]),

    addKey: ({ keyId, personId, algorithm, publicKey, enrolledAt, expiresAt }) =>
      add(
        `insert into person_key (account_id, key_id, person_id, algorithm, public_key, enrolled_at, expires_at)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6)`,
        [keyId, personId, algorithm, publicKey, enrolledAt, expiresAt ?? null],
        taken("This signing key is enrolled already: a key belongs to one person, once.", "publicKey"),
      ),

    renewKey: (keyId, { publicKey, expiresAt }) =>
      change("update person_key set public_key = $2, expires_at = $3 where key_id = $1 and revoked_at is null", [
        keyId,
        publicKey,
        expiresAt ?? null,
      ]),

    revokeKey: (keyId, { at, by }) =>
      change("update person_key set revoked_at = $2, revoked_by = $3 where key_id = $1 and revoked_at is null", [
        keyId,
        at,
        by,
      ]),

    addPrincipal: ({ id, kind, name, personId, ownerPersonId, roles, createdAt }) =>
      add(
        `insert into principal (account_id, id, kind, name, person_id, owner_person_id, roles, created_at)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6, $7)`,
        [id, kind, name, personId ?? null, ownerPersonId ?? null, roles, createdAt],
        taken(`The name "${name}" is taken by another principal.`, "name"),
      ),

    bumpPrincipal: (id) => change("update principal set version = version + 1 where id = $1", [id]),

    addToken: ({ id, principalId, sha256, note, createdBy, createdAt, expiresAt }) =>
      add(
        `insert into token (account_id, id, principal_id, sha256, note, created_by, created_at, expires_at)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6, $7)`,
        [id, principalId, sha256, note, createdBy, createdAt, expiresAt],
        taken("There is a token with this id; make a new one.", "token.id"),
      ),

    revokeToken: (id, { at, by }) =>
      change("update token set revoked_at = $2, revoked_by = $3 where id = $1 and revoked_at is null", [id, at, by]),

    async addBan({ id, principalId, reason, bannedBy, bannedAt, until }) {
      await session.query(
        "update ban set lifted_at = until where principal_id = $1 and lifted_at is null and until <= $2",
        [principalId, bannedAt],
      );
      await add(
        `insert into ban (account_id, id, principal_id, reason, banned_by, banned_at, until)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6)`,
        [id, principalId, reason, bannedBy, bannedAt, until ?? null],
      );
    },

    liftBan: (id, { at, by, reason }) =>
      change("update ban set lifted_at = $2, lifted_by = $3, lift_reason = $4 where id = $1 and lifted_at is null", [
        id,
        at,
        by,
        reason,
      ]),

    addInvitation: ({ id, personName, roles, createdBy, createdAt, expiresAt }) =>
      add(
        `insert into invitation (account_id, id, person_name, roles, created_by, created_at, expires_at)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6)`,
        [id, personName, roles, createdBy, createdAt, expiresAt],
      ),

    setInvitationSecret: (id, sha256) =>
      change("update invitation set sha256 = $2 where id = $1 and sha256 is null", [id, sha256]),

    acceptInvitation: (id, { at, personId }) =>
      change(
        "update invitation set accepted_at = $2, person_id = $3 where id = $1 and accepted_at is null and cancelled_at is null",
        [id, at, personId],
      ),

    cancelInvitation: (id, { at, by }) =>
      change(
        "update invitation set cancelled_at = $2, cancelled_by = $3 where id = $1 and accepted_at is null and cancelled_at is null",
        [id, at, by],
      ),

    addClaim: ({ id, subject, createdBy, createdAt, expiresAt }) => {
      const token = subject.kind === "token" ? subject : undefined;
      const invitationId = subject.kind === "invitation" ? subject.invitationId : null;
      return add(
        `insert into claim (account_id, id, kind, principal_id, note, valid_days, invitation_id, created_by, created_at, expires_at)
         values (${ACCOUNT_ID}, $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          ...[id, subject.kind, token?.principalId ?? null, token?.note ?? null, token?.validDays ?? null],
          ...[invitationId, createdBy, createdAt, expiresAt],
        ],
      );
    },

    spendClaim: (id, { at, by }) =>
      change("update claim set claimed_at = $2, claimed_by = $3 where id = $1 and claimed_at is null", [id, at, by]),

    setProfile: (profile) => change("update account set profile = $1 where profile <> $1", [profile]),
  };
}

function taken(message: string, path: string): HubError {
  return new HubError("ALREADY_EXISTS", message, { path });
}
