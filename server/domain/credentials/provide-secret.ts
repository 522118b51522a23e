import { HubError } from "../../errors.ts";
import type { KeyService } from "../keys/key-service.ts";
import { together } from "../together.ts";
import { checkClaim, lockClaimOf } from "./claim.ts";
import { sealMaterial, withDigest } from "./credential-record.ts";
import type { ClaimRow, CredentialRecord, StoredCredential } from "./credential-store.ts";
import { credentialSubject, findCredential, lockCredential } from "./find-credential.ts";
import { refuseReplaced } from "./open-credential.ts";
import { refuseUnfitSecret } from "./secret-shape.ts";
import type { ChangedBy, CredentialChange } from "./store-credential.ts";

export interface ProvideInput {
  readonly name: string;
  /** The code of the claim, where it is what lets the caller in. */
  readonly claim?: string | undefined;
  readonly secret: string;
}

/**
 * Seals a credential's secret; the one before is gone. Whoever brings the claim's code may, once; a person of the account
 * without it, while a claim is open or none was given yet. Throws NOT_FOUND, FORBIDDEN, CLAIM_EXPIRED, CONFLICT,
 * INPUT_INVALID where the text cannot be such a secret, CREDENTIAL_REPLACED, and what the key service throws.
 */
export async function provideSecret(
  { credentials, events }: CredentialChange,
  keys: Pick<KeyService, "dataKey">,
  input: ProvideInput,
  call: ChangedBy & { readonly isPerson: boolean },
): Promise<StoredCredential> {
  const { by, now } = call;
  const { name } = input;
  const [{ credential, latest }, found] = await together([
    lockCredential(credentials, name),
    input.claim === undefined ? credentials.openClaim(name) : lockClaimOf(credentials, input.claim),
  ]);
  const claim = admit(credential, found, input.claim, call);
  refuseReplaced(credential, latest);
  refuseUnfitSecret(credential.kind, input.secret);
  const next = await withSecret(credential, input.secret, keys);
  const { version, materialVersion } = next;
  const [, changed] = await together([
    credentials.put({ ...next, providedAt: now, at: now }),
    findCredential(credentials, name),
    claim && credentials.spendClaim(claim.id, now),
    events.emit({
      type: "credentials.secret_provided",
      subject: credentialSubject(name),
      data: { version, materialVersion, by, ...(claim && { claimId: claim.id }) },
    }),
  ]);
  return changed;
}

/** The next version of it, with this as its secret under a data key of its own. */
async function withSecret(
  credential: StoredCredential,
  text: string,
  keys: Pick<KeyService, "dataKey">,
): Promise<CredentialRecord> {
  const { accountId, id, version } = credential;
  const materialVersion = credential.materialVersion + 1;
  const secret = Buffer.from(text);
  const dataKey = await keys.dataKey(accountId, "data");
  try {
    const sealed = sealMaterial({ accountId, id, materialVersion }, secret, dataKey.plaintext);
    const wrappedKey = dataKey.ciphertext;
    return withDigest({ ...credential, version: version + 1, materialVersion, wrappedKey, sealed });
  } finally {
    secret.fill(0);
    dataKey.plaintext.fill(0);
  }
}

/** Whether this caller may give it now, and by which claim. */
function admit(
  { id, name, materialVersion }: StoredCredential,
  claim: ClaimRow | undefined,
  code: string | undefined,
  { now, isPerson }: { readonly now: Date; readonly isPerson: boolean },
): ClaimRow | undefined {
  if (code !== undefined) return checkClaim(claim, { credentialId: id, code, now });
  if (!isPerson) throw new HubError("FORBIDDEN", "A person gives the secret, or who brings the claim for it.");
  if (claim && claim.expiresAt > now) return claim;
  // what two people agreed to keep, and nobody has given yet
  if (materialVersion === 0) return claim;
  throw new HubError(
    "CLAIM_EXPIRED",
    `${name} has a secret, and nobody asked for another one of late: npx countersign credentials rotate ${name}`,
  );
}
