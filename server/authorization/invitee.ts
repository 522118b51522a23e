import {
  generateSecret,
  INVITATION_PREFIX,
  parseSecret,
  secretDigest,
  secretMatches,
} from "../../contracts/identity/bearer-secret.ts";
import type { Identifier } from "../action/identifier.ts";
import type { IdentityLookup } from "../domain/identity/identity-lookup.ts";

/**
 * Lets an invitation code stand in for a token: who joins is nobody yet, so the account's own hub service acts, whose
 * role permits accepting an invitation and nothing else. Whether the invitation still counts is that action's to say,
 * to those alone who hold the code.
 */
export function withInvitees(identifier: Identifier, lookup: Pick<IdentityLookup, "invitation">): Identifier {
  const decoy = secretDigest(generateSecret());
  return {
    ...identifier,
    async byToken(text) {
      const code = text === undefined ? undefined : parseSecret(INVITATION_PREFIX, text);
      if (!code) return identifier.byToken(text);
      const invited = await lookup.invitation(code.id);
      // an invitation's id is no secret: it opens nothing without the rest of the code
      const matches = secretMatches(code.secret, invited?.sha256 ?? decoy);
      if (!invited || !matches) return identifier.byToken(undefined);
      return identifier.byPrincipal(invited.accountId, invited.hubPrincipalId);
    },
  };
}
