import {
  CREDENTIAL_CLAIM_PREFIX,
  generateSecret,
  parseSecret,
  secretDigest,
  secretMatches,
} from "../../contracts/identity/bearer-secret.ts";
import type { Caller } from "../action/caller.ts";
import type { Identifier } from "../action/identifier.ts";
import type { FoundClaim } from "../domain/credentials/credential-store.ts";
import { HubError } from "../errors.ts";

/** Who brings a credential's claim: it lets them act in the name of who asked for it, for this one thing. */
export interface Claimant {
  readonly caller: Caller;
  /** The credential's name. */
  readonly credential: string;
}

/**
 * Whom a claim's code stands for. The door lets it give the one secret and nothing else; whether it still counts is told
 * to those alone who hold the whole code. Throws NOT_FOUND (unknown, malformed or wrong: one answer for all), CLAIM_EXPIRED
 * where it was used or its time is over, PRINCIPAL_BANNED where who asked may not call any more, STORE_UNAVAILABLE.
 */
export function claimants(
  lookUp: (claimId: string) => Promise<FoundClaim | undefined>,
  identifier: Pick<Identifier, "byPrincipal">,
): (code: string) => Promise<Claimant> {
  const decoy = secretDigest(generateSecret());
  return async (text) => {
    const code = parseSecret(CREDENTIAL_CLAIM_PREFIX, text);
    const claim = code && (await lookUp(code.id));
    // a claim's id is no secret: it opens nothing without the rest of the code
    if (!code || !secretMatches(code.secret, claim?.sha256 ?? decoy) || !claim)
      throw new HubError("NOT_FOUND", "There is no such claim.");
    if (claim.state !== "open") throw new HubError("CLAIM_EXPIRED", WORDS[claim.state]);
    const found = await identifier.byPrincipal(claim.accountId, claim.createdBy);
    if ("refusal" in found) throw found.refusal;
    return { caller: found.caller, credential: claim.credential };
  };
}

const WORDS: Readonly<Record<Exclude<FoundClaim["state"], "open">, string>> = {
  used: "This claim was used: the secret was given. If it was not you, have the credential rotated.",
  replaced: "A newer claim took the place of this one: ask for its link.",
  expired: "The time of this claim is over: ask for a new one.",
};
