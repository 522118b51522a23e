import {
  generateSecret,
  parseSecret,
  secretDigest,
  secretMatches,
  TOKEN_PREFIX,
} from "../../contracts/identity/bearer-secret.ts";
import type { Caller } from "../action/caller.ts";
import type { Identifier } from "../action/identifier.ts";
import type { FoundPrincipal, FoundToken, IdentityLookup } from "../domain/identity/identity-lookup.ts";
import { HubError } from "../errors.ts";
import type { TokenUse } from "./token-use.ts";

/**
 * Identifies by the rows as they are: one round trip a call, nothing kept between calls, so that a ban, a revocation
 * or a lost role counts at once. Only who holds a token's secret learns why it does not open anything.
 */
export function createIdentifier(lookup: IdentityLookup, use: TokenUse): Identifier {
  // an unknown token is compared too: how long an answer takes does not tell which ids exist
  const decoy = secretDigest(generateSecret());
  const nobody = generateSecret();

  return {
    async byToken(text) {
      const token = text === undefined ? undefined : parseSecret(TOKEN_PREFIX, text);
      // the shape of a token is public, so that a malformed one may be told from others by time
      const found = token && (await lookup.token(token.id));
      const matches = secretMatches(token?.secret ?? nobody, found?.sha256 ?? decoy);
      if (!token || !found || !matches) return { refusal: unauthenticated() };
      const refusal = refusalOf(found);
      if (refusal) return { refusal, known: { accountId: found.account.id, principal: found.principal } };
      if (found.useIsStale) use.note(token.id);
      return { caller: callerOf(found, token.id) };
    },

    async byPrincipal(accountId, principalId) {
      const found = await lookup.principal(accountId, principalId);
      if (!found) return { refusal: new HubError("NOT_FOUND", "There is no such principal.") };
      if (found.banned) return { refusal: banned(), known: { accountId, principal: found.principal } };
      return { caller: callerOf(found) };
    },
  };
}

function refusalOf(found: FoundToken): HubError | undefined {
  if (found.banned) return banned();
  if (found.revoked) return new HubError("TOKEN_REVOKED", "This token was revoked; ask for a new one.");
  if (found.expired) return new HubError("TOKEN_EXPIRED", "This token has expired; ask for a new one.");
  return undefined;
}

function callerOf({ account, principal, policy }: FoundPrincipal, tokenId?: string): Caller {
  return { account, principal, policy, ...(tokenId !== undefined && { tokenId }) } satisfies Caller;
}

function banned(): HubError {
  return new HubError(
    "PRINCIPAL_BANNED",
    "This principal is banned; an operator of the account can say why and lift it.",
  );
}

/** One answer, whatever was wrong with the token. */
function unauthenticated(): HubError {
  return new HubError("UNAUTHENTICATED", "A valid access token is needed: `Authorization: Bearer cs_...`.");
}
