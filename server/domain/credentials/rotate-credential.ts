import type { CredentialClaim } from "../../../contracts/credentials/credential.ts";
import { givingInWords, hostsInWords } from "../../../contracts/credentials/scope-words.ts";
import type { Preview } from "../approvals/preview.ts";
import { type ClaimLink, makeClaim } from "./claim.ts";
import type { CredentialReader, StoredCredential } from "./credential-store.ts";
import { credentialSubject, findCredential, lockCredential } from "./find-credential.ts";
import { refuseReplaced } from "./open-credential.ts";
import type { ChangedBy, CredentialChange } from "./store-credential.ts";

/** Lets a person give a new secret; the one that is there works until then. Throws NOT_FOUND, CREDENTIAL_REPLACED. */
export async function rotateCredential(
  { credentials, events }: CredentialChange,
  name: string,
  { by, now, link }: ChangedBy & { readonly link: ClaimLink },
): Promise<{ credential: StoredCredential; claim: CredentialClaim }> {
  const { credential, latest } = await lockCredential(credentials, name);
  refuseReplaced(credential, latest);
  const claim = await makeClaim(credentials, credential, { by, now, link });
  const data = { version: credential.version, by };
  await events.emit({ type: "credentials.rotation_asked", subject: credentialSubject(name), data });
  return { credential, claim };
}

/** What approvers see. Throws NOT_FOUND, CREDENTIAL_REPLACED: nobody is asked about a row that somebody else wrote. */
export async function previewRotate(
  credentials: Pick<CredentialReader, "byName" | "journalled">,
  name: string,
  asker: string,
): Promise<Preview> {
  const { id, allowedHosts, materialVersion, usedBy } = await findCredential(credentials, name);
  const found = await credentials.journalled(id);
  if (found) refuseReplaced(found.record, found.latest);
  return {
    headline: `${asker} asks that a person may give a new secret for the credential ${name}; the present one works until then`,
    changes: [
      { field: "secrets so far", after: String(materialVersion) },
      { field: "may be sent to", after: hostsInWords(allowedHosts) },
      { field: "used by", after: usedBy.join(", ") || "nothing now" },
      { field: "the next step, once you agree", after: givingInWords(name) },
    ],
  };
}
