import { HubError } from "../../errors.ts";
import type { KeyService } from "../keys/key-service.ts";
import { claimByCode } from "./claim.ts";
import { sealMaterial, withDigest } from "./credential-record.ts";
import type { ClaimRow, StoredCredential } from "./credential-store.ts";
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
  const { accountId, by, now } = call;
  const credential = await lockCredential(credentials, input.name);
  const claim = await admit(credentials, credential, input.claim, call);
  const journalled = await credentials.journalled(credential.id);
  refuseReplaced(credential, journalled?.latest);
  refuseUnfitSecret(credential.kind, input.secret);
  const materialVersion = credential.materialVersion + 1;
  const secret = Buffer.from(input.secret);
  const dataKey = await keys.dataKey(accountId, "data");
  try {
    const { id, version } = credential;
    const sealed = sealMaterial({ accountId, id, materialVersion }, secret, dataKey.plaintext);
    const next = { ...credential, version: version + 1, materialVersion, wrappedKey: dataKey.ciphertext, sealed };
    await credentials.put({ ...withDigest(next), providedAt: now, at: now });
  } finally {
    secret.fill(0);
    dataKey.plaintext.fill(0);
  }
  if (claim) await credentials.spendClaim(claim.id, now);
  const changed = await findCredential(credentials, input.name);
  await events.emit({
    type: "credentials.secret_provided",
    subject: credentialSubject(input.name),
    data: { version: changed.version, materialVersion, by, ...(claim && { claimId: claim.id }) },
  });
  return changed;
}

/** Whether this caller may give it now, and by which claim. */
async function admit(
  credentials: CredentialChange["credentials"],
  { id, name, materialVersion }: StoredCredential,
  code: string | undefined,
  { now, isPerson }: { readonly now: Date; readonly isPerson: boolean },
): Promise<ClaimRow | undefined> {
  if (code !== undefined) return claimByCode(credentials, id, { code, now });
  if (!isPerson) throw new HubError("FORBIDDEN", "A person gives the secret, or who brings the claim for it.");
  const open = await credentials.openClaim(id);
  if (open && open.expiresAt > now) return open;
  // what two people agreed to keep, and nobody has given yet
  if (materialVersion === 0) return open;
  throw new HubError(
    "CLAIM_EXPIRED",
    `${name} has a secret, and nobody asked for another one of late: npx countersign credentials rotate ${name}`,
  );
}
