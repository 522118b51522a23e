import type { FoundClaim } from "../../domain/credentials/credential-store.ts";
import type { Session } from "./database.ts";

interface Columns {
  account_id: string;
  credential_name: string;
  created_by: string;
  sha256: Buffer;
  state: FoundClaim["state"];
  expires_at: Date;
}

/** A claim by its id, before an account is known; `session` carries none. Throws STORE_UNAVAILABLE. */
export async function lookUpClaim(session: Session, claimId: string): Promise<FoundClaim | undefined> {
  const { rows } = await session.query<Columns>("select * from hub_credential_claim($1)", [claimId]);
  const [row] = rows;
  if (!row) return undefined;
  return {
    accountId: row.account_id,
    credential: row.credential_name,
    createdBy: row.created_by,
    sha256: row.sha256,
    state: row.state,
    expiresAt: row.expires_at,
  };
}
