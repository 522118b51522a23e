import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { type CredentialReader, DELETED, type LeftInJournal } from "./credential-store.ts";
import { credentialSubject } from "./find-credential.ts";
import type { CredentialChange } from "./store-credential.ts";

export interface ForgottenCredential {
  readonly id: string;
  /** One more than the journal has: nothing that is put back later is the latest. */
  readonly version: number;
  readonly digest: typeof DELETED;
}

/**
 * Gives up a credential that the journal has and whose row vanished past the hub: from then on nobody misses it. Throws
 * NOT_FOUND where the journal has no such one or has it as deleted, and CONFLICT while there is a row.
 */
export async function forgetMissing(
  { credentials, events }: CredentialChange,
  id: string,
  { by }: { readonly by: string },
): Promise<ForgottenCredential> {
  const version = (await findMissing(credentials, id)).version + 1;
  await events.emit({ type: "credentials.forgotten", subject: credentialSubject(id), data: { version, by } });
  return { id, version, digest: DELETED };
}

/** What approvers see. Throws NOT_FOUND, CONFLICT. */
export async function previewForget(
  credentials: Pick<CredentialReader, "byId" | "left">,
  id: string,
  asker: string,
): Promise<Preview> {
  const { version } = await findMissing(credentials, id);
  return {
    headline: `${asker} asks to give up the credential ${id}, which the journal has and whose row vanished past the hub; its secret is lost`,
    changes: [{ field: "what the journal has", before: `version ${version}`, after: "deleted" }],
  };
}

/** What policies and approvals know of it. */
export async function missingTarget(credentials: Pick<CredentialReader, "left">, id: string) {
  const left = await credentials.left(id);
  const version = left ? `${id}/${left.version}/${left.digest === DELETED ? "deleted" : "left"}` : "absent";
  return { type: "Credential" as const, id, version, attributes: { name: id } };
}

async function findMissing(
  credentials: Pick<CredentialReader, "byId" | "left">,
  id: string,
): Promise<Pick<LeftInJournal, "version">> {
  const row = await credentials.byId(id);
  if (row)
    throw new HubError("CONFLICT", `The credential ${row.name} has a row: it is deleted by its name.`, {
      path: "credentialId",
      details: { credential: row.name },
    });
  const left = await credentials.left(id);
  if (left && left.digest !== DELETED) return left;
  throw new HubError("NOT_FOUND", `The journal misses no credential ${id}.`, { path: "credentialId" });
}
