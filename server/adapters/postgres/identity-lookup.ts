import type { PrincipalKind } from "../../../contracts/identity/principal.ts";
import type { FoundPrincipal, IdentityLookup } from "../../domain/identity/identity-lookup.ts";
import type { Session } from "./database.ts";

interface PrincipalColumns {
  account_id: string;
  account_name: string;
  profile: "solo" | "team";
  is_hub: boolean;
  principal_id: string;
  kind: PrincipalKind;
  principal_name: string;
  person_id: string | null;
  owner_person_id: string | null;
  roles: string[];
  banned: boolean;
  policy_version: number;
  policy_hash: string;
}

interface TokenColumns extends PrincipalColumns {
  sha256: Buffer;
  expired: boolean;
  revoked: boolean;
  use_is_stale: boolean;
}

interface InvitationColumns {
  account_id: string;
  hub_principal_id: string;
  sha256: Buffer;
}

/** By the functions that look across accounts; `session` carries none. */
export function identityLookup(session: Session): IdentityLookup {
  return {
    async token(tokenId) {
      const { rows } = await session.query<TokenColumns>({
        name: "hub_identify",
        text: "select * from hub_identify($1)",
        values: [tokenId],
      });
      const [row] = rows;
      if (!row) return undefined;
      const { sha256, expired, revoked, use_is_stale: useIsStale } = row;
      return { ...foundPrincipal(row), sha256, expired, revoked, useIsStale };
    },

    async principal(accountId, principalId) {
      const { rows } = await session.query<PrincipalColumns>("select * from hub_principal($1, $2)", [
        accountId,
        principalId,
      ]);
      return rows[0] && foundPrincipal(rows[0]);
    },

    async invitation(invitationId) {
      const { rows } = await session.query<InvitationColumns>("select * from hub_invitation($1)", [invitationId]);
      const [row] = rows;
      return row && { accountId: row.account_id, hubPrincipalId: row.hub_principal_id, sha256: row.sha256 };
    },

    async touchTokens(tokenIds) {
      await session.query("select hub_touch_tokens($1)", [tokenIds]);
    },
  };
}

function foundPrincipal(row: PrincipalColumns): FoundPrincipal {
  return {
    account: { id: row.account_id, name: row.account_name, profile: row.profile, isHub: row.is_hub },
    principal: {
      ...{ id: row.principal_id, kind: row.kind, name: row.principal_name, roles: row.roles },
      ...(row.person_id !== null && { personId: row.person_id }),
      ...(row.owner_person_id !== null && { ownerPersonId: row.owner_person_id }),
    },
    policy: { version: row.policy_version, hash: row.policy_hash },
    banned: row.banned,
  };
}
