import { HubError } from "../../errors.ts";
import type { CredentialReader, CredentialWriter, LockedCredential, StoredCredential } from "./credential-store.ts";

/** Throws NOT_FOUND. */
export async function findCredential(
  credentials: Pick<CredentialReader, "byName">,
  name: string,
  path = "name",
): Promise<StoredCredential> {
  return (await credentials.byName(name)) ?? missing(name, path);
}

/** Locked until the transaction ends. Throws NOT_FOUND. */
export async function lockCredential(
  credentials: Pick<CredentialWriter, "lock">,
  name: string,
): Promise<LockedCredential> {
  return (await credentials.lock(name)) ?? missing(name, "name");
}

function missing(name: string, path: string): never {
  throw new HubError("NOT_FOUND", `There is no credential ${name}.`, { path });
}

/** What policies and approvals know of it: a version that grows with every change, and starts anew with every life. */
export async function credentialTarget(credentials: Pick<CredentialReader, "byName">, name: string) {
  const found = await credentials.byName(name);
  return {
    type: "Credential" as const,
    id: name,
    version: found ? `${found.id}/${found.version}` : "absent",
    attributes: { name },
  };
}

export const credentialSubject = (name: string): string => `credentials/${name}`;

/** What a receipt says was left of it. */
export const leftOf = ({ id, version, digest }: { id: string; version: number; digest: string }) => [
  { type: "Credential", id, version, digest },
];
