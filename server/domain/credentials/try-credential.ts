import { HubError, toHubError } from "../../errors.ts";
import type { CredentialOpener, CredentialTrial, OpenedCredential } from "./open-credential.ts";

/** How a credential is tried on a real server; adapters implement it. They wipe nothing: who opened it does. */
export interface CredentialProbe {
  /**
   * The host that the address leads to, as `open` takes it. Throws INPUT_INVALID and REPOSITORY_URL_REFUSED where this
   * kind of credential is not sent to such an address.
   */
  hostOf(kind: OpenedCredential["kind"], url: string): string;
  /**
   * The smallest real thing: Git lists branches, a bearer token asks for one page. Answers with what came of it, in words
   * that hold nothing secret; throws what the server's refusal amounts to (GIT_AUTH_REQUIRED, EGRESS_REFUSED, ...).
   */
  attempt(credential: OpenedCredential, url: string, signal: AbortSignal): Promise<string>;
}

export interface TrialResult {
  readonly version: number;
  readonly tried: {
    readonly host: string;
    readonly accepted: boolean;
    /** Why it was not. */
    readonly code: string | null;
    readonly words: string;
  } | null;
}

/**
 * Opens the credential and, where there is an address to try it on, uses it there once. A server that refuses is a result;
 * a credential that does not open, or may not be sent there, throws what `CredentialOpener.open` does.
 */
export async function testCredential(
  services: Pick<CredentialOpener, "openForTrial"> & { readonly probe: CredentialProbe },
  {
    name,
    kind,
    url,
  }: { readonly name: string; readonly kind: OpenedCredential["kind"]; readonly url?: string | undefined },
  { accountId, ...use }: Omit<CredentialTrial, "host"> & { readonly accountId: string },
): Promise<TrialResult> {
  const { probe } = services;
  const host = url === undefined ? undefined : probe.hostOf(kind, url);
  const trial = { ...use, ...(host !== undefined && { host }) };
  const opened = await services.openForTrial(accountId, name, trial);
  try {
    if (url === undefined || host === undefined) return { version: opened.version, tried: null };
    return { version: opened.version, tried: { host, ...(await attempted(probe, opened, url, use.signal)) } };
  } finally {
    opened.secret.fill(0);
  }
}

async function attempted(probe: CredentialProbe, opened: OpenedCredential, url: string, signal: AbortSignal) {
  try {
    return { accepted: true, code: null, words: await probe.attempt(opened, url, signal) };
  } catch (error) {
    const { code, message } = toHubError(error);
    if (!(error instanceof HubError) || signal.aborted) throw error;
    return { accepted: false, code, words: message };
  }
}
