import type { RecoveryStore } from "../../domain/identity/recovery-store.ts";
import type { Session } from "./database.ts";

/** Of the account that the session's transaction carries. */
export function recoveryStore(session: Session): RecoveryStore {
  return {
    async administrators() {
      const { rows } = await session.query<{ id: string; name: string }>(
        "select id, name from principal where kind = 'operator' and 'admin' = any(roles) order by created_at, id limit 50",
      );
      return rows;
    },

    async keyHolder(keyId) {
      const { rows } = await session.query<{ person_id: string; revoked: boolean }>(
        "select person_id, revoked_at is not null as revoked from person_key where key_id = $1",
        [keyId],
      );
      return rows[0] && { personId: rows[0].person_id, isRevoked: rows[0].revoked };
    },

    async keysInForce(personId) {
      const { rows } = await session.query<{ key_id: string }>(
        "select key_id from person_key where person_id = $1 and revoked_at is null order by enrolled_at, key_id",
        [personId],
      );
      return rows.map(({ key_id }) => key_id);
    },

    async revokeOtherKeys(personId, keyId, at) {
      await session.query(
        "update person_key set revoked_at = $3 where person_id = $1 and key_id <> $2 and revoked_at is null",
        [personId, keyId, at],
      );
    },

    async revokeTokens(principalId, { at, by }) {
      const { rows } = await session.query<{ id: string }>(
        `update token set revoked_at = $2, revoked_by = $3
         where principal_id = $1 and revoked_at is null and expires_at > $2 returning id`,
        [principalId, at, by],
      );
      return rows.map(({ id }) => id);
    },
  };
}
