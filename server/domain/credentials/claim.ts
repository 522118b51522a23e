import { v7 } from "uuid";
import type { CredentialClaim } from "../../../contracts/credentials/credential.ts";
import {
  CREDENTIAL_CLAIM_PREFIX,
  formatSecret,
  generateSecret,
  parseSecret,
  secretDigest,
  secretMatches,
} from "../../../contracts/identity/bearer-secret.ts";
import { HubError } from "../../errors.ts";
import type { ClaimRow, CredentialWriter } from "./credential-store.ts";

/** Milliseconds that a person has to give the secret. */
export const CLAIM_VALID_MS = 30 * 60_000;

/** Where a claim's page is, given its code. */
export type ClaimLink = (code: string) => string;

/** Makes the one claim of a credential; what was open before is so no more. Only the code's SHA-256 is kept. */
export async function makeClaim(
  credentials: Pick<CredentialWriter, "addClaim">,
  credential: { readonly id: string; readonly name: string },
  { by, now, link }: { readonly by: string; readonly now: Date; readonly link: ClaimLink },
): Promise<CredentialClaim> {
  const id = v7();
  const secret = generateSecret();
  const expiresAt = new Date(now.getTime() + CLAIM_VALID_MS);
  await credentials.addClaim({
    id,
    credentialId: credential.id,
    sha256: secretDigest(secret),
    createdBy: by,
    createdAt: now,
    expiresAt,
  });
  return {
    link: link(formatSecret(CREDENTIAL_CLAIM_PREFIX, { id, secret })),
    expiresAt: expiresAt.toISOString(),
    next: `npx countersign credentials provide ${credential.name}`,
  };
}

/** The claim that a code names, locked; whether the code is the right one is for `checkClaim`. */
export async function lockClaimOf(
  credentials: Pick<CredentialWriter, "lockClaim">,
  code: string,
): Promise<ClaimRow | undefined> {
  const parsed = parseSecret(CREDENTIAL_CLAIM_PREFIX, code);
  return parsed && credentials.lockClaim(parsed.id);
}

/**
 * Answers with the claim, where a code lets its bearer use it. Throws NOT_FOUND for a code of another credential or of
 * none, CLAIM_EXPIRED, and CONFLICT where it was used or a newer one took its place.
 */
export function checkClaim(
  claim: ClaimRow | undefined,
  { credentialId, code, now }: { readonly credentialId: string; readonly code: string; readonly now: Date },
): ClaimRow {
  const parsed = parseSecret(CREDENTIAL_CLAIM_PREFIX, code);
  if (!parsed || claim?.credentialId !== credentialId || !secretMatches(parsed.secret, claim.sha256))
    throw new HubError("NOT_FOUND", "There is no such claim.", { path: "claim" });
  if (claim.usedAt || claim.replacedAt)
    throw new HubError("CONFLICT", "This claim was used, or a newer one took its place.", { path: "claim" });
  if (claim.expiresAt <= now)
    throw new HubError("CLAIM_EXPIRED", `This claim expired on ${claim.expiresAt.toISOString()}; ask for a new one.`, {
      path: "claim",
    });
  return claim;
}
