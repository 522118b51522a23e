import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { type CredentialReader, DELETED, type StoredCredential } from "./credential-store.ts";
import { credentialSubject, findCredential, lockCredential } from "./find-credential.ts";
import type { ChangedBy, CredentialChange } from "./store-credential.ts";

export interface DeletedCredential {
  readonly id: string;
  readonly name: string;
  /** One more than any that the journal has: nothing that is put back later is the latest. */
  readonly version: number;
  readonly digest: typeof DELETED;
}

/** Forgets a credential and its secret for ever. Throws NOT_FOUND, and IN_USE while a repository names it. */
export async function deleteCredential(
  { credentials, events }: CredentialChange,
  name: string,
  { by }: ChangedBy,
): Promise<DeletedCredential> {
  const { credential, latest } = await lockCredential(credentials, name);
  refuseInUse(credential);
  await credentials.remove(credential.id);
  const version = Math.max(credential.version, latest?.version ?? 0) + 1;
  await events.emit({ type: "credentials.deleted", subject: credentialSubject(name), data: { version, by } });
  return { id: credential.id, name, version, digest: DELETED };
}

/** What approvers see. Throws NOT_FOUND, IN_USE. */
export async function previewDelete(
  credentials: Pick<CredentialReader, "byName">,
  name: string,
  asker: string,
): Promise<Preview> {
  const credential = await findCredential(credentials, name);
  refuseInUse(credential);
  return {
    headline: `${asker} asks to DELETE the credential ${name}; its secret cannot be had again`,
    changes: [
      { field: "what it is for", before: credential.description },
      { field: "last used", before: credential.lastUsedAt?.toISOString() ?? "never" },
    ],
  };
}

function refuseInUse({ name, usedBy }: StoredCredential): void {
  if (usedBy.length === 0) return;
  throw new HubError("IN_USE", `${name} is used by ${usedBy.join(", ")}.`, { path: "name", details: { usedBy } });
}
