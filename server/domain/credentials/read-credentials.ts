import type { CredentialView } from "../../../contracts/credentials/credential.ts";
import type { Page, PageRequest } from "../page.ts";
import type { CredentialReader } from "./credential-store.ts";
import { findCredential } from "./find-credential.ts";
import { credentialView } from "./views.ts";

/** Throws NOT_FOUND. */
export async function getCredential(credentials: CredentialReader, name: string, now: Date): Promise<CredentialView> {
  return credentialView(await findCredential(credentials, name), now);
}

export async function listCredentials(
  credentials: CredentialReader,
  page: PageRequest,
  now: Date,
): Promise<Page<CredentialView>> {
  const { items, ...rest } = await credentials.list(page);
  return { ...rest, items: items.map((item) => credentialView(item, now)) };
}
