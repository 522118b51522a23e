import type { AccountDirectory, AccountWriter } from "../../domain/identity/account-store.ts";
import { HubError } from "../../errors.ts";
import type { Session } from "./database.ts";

/** Adds the account that the session's transaction carries. */
export function accountWriter(session: Session): AccountWriter {
  return {
    async addAccount({ id, name, profile, isHub, createdAt }) {
      const { rowCount } = await session.query(
        "insert into account (id, name, profile, is_hub, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        [id, name, profile, isHub, createdAt],
      );
      if (rowCount === 1) return;
      const message = isHub ? "The hub has its first account already." : "There is an account with this id.";
      throw new HubError("ALREADY_EXISTS", message);
    },
  };
}

/** By the functions that look across accounts; `session` carries none. */
export function accountDirectory(session: Session): AccountDirectory {
  return {
    async hubAccountId() {
      const { rows } = await session.query<{ id: string | null }>("select hub_account() as id");
      return rows[0]?.id ?? undefined;
    },

    async accountIds() {
      const { rows } = await session.query<{ id: string }>("select hub_accounts() as id");
      return rows.map(({ id }) => id);
    },
  };
}
