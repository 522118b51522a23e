import { v7 } from "uuid";
import { normalAllowedHost } from "../../../contracts/credentials/allowed-host.ts";
import type { CredentialClaim, NewCredential } from "../../../contracts/credentials/credential.ts";
import {
  consumersInWords,
  expiryInWords,
  givingInWords,
  hostsInWords,
  kindInWords,
  policyInWords,
} from "../../../contracts/credentials/scope-words.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import { type ClaimLink, makeClaim } from "./claim.ts";
import { withDigest } from "./credential-record.ts";
import type { CredentialReader, CredentialWriter, StoredCredential } from "./credential-store.ts";
import { credentialSubject, findCredential } from "./find-credential.ts";
import { type RefuseAddress, refuseUnreachable } from "./reachable-hosts.ts";

export interface CredentialChange {
  readonly credentials: CredentialReader & CredentialWriter;
  readonly events: EventWriter;
}

/** Who changes it, when, and where claims are taken to. */
export interface ChangedBy {
  readonly accountId: string;
  readonly by: string;
  readonly now: Date;
}

/** What the hub connects to at all. */
export interface Reach {
  readonly refuseAddress: RefuseAddress;
}

/**
 * Keeps what a credential is for, without its secret, which a person gives by the claim that this answers with. Throws
 * ALREADY_EXISTS, EGRESS_REFUSED, and INPUT_INVALID where user or expiry do not fit.
 */
export async function storeCredential(
  { credentials, events }: CredentialChange,
  input: NewCredential,
  { accountId, by, now, link, refuseAddress }: ChangedBy & { readonly link: ClaimLink } & Reach,
): Promise<{ credential: StoredCredential; claim: CredentialClaim }> {
  refuseUnfit(input, now);
  refuseUnreachable(input.kind, input.allowedHosts, refuseAddress);
  await refuseTaken(credentials, input.name);
  const { name, kind, description, username, consumers, expiresAt, rotateEveryDays } = input;
  const record = withDigest({
    accountId,
    id: v7(),
    name,
    kind,
    username,
    allowedHosts: input.allowedHosts.map((host) => normalAllowedHost(kind, host)),
    consumers,
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
    rotateEveryDays,
    version: 1,
    materialVersion: 0,
    wrappedKey: undefined,
    sealed: undefined,
  });
  await credentials.add({ ...record, description, by, at: now });
  const claim = await makeClaim(credentials, record, { by, now, link });
  await events.emit({ type: "credentials.stored", subject: credentialSubject(name), data: { kind, version: 1, by } });
  return { credential: await findCredential(credentials, name), claim };
}

/** What approvers see; refuses what could never succeed. */
export async function previewStore(
  credentials: Pick<CredentialReader, "byName">,
  input: NewCredential,
  { asker, now, refuseAddress }: { readonly asker: string; readonly now: Date } & Reach,
): Promise<Preview> {
  refuseUnfit(input, now);
  refuseUnreachable(input.kind, input.allowedHosts, refuseAddress);
  await refuseTaken(credentials, input.name);
  const { name, kind, description, username, allowedHosts, consumers, expiresAt, rotateEveryDays } = input;
  return {
    headline: `${asker} asks to keep a credential, ${name}: whatever secret a person gives for it is sent to ${hostsInWords(allowedHosts)}, for ${consumersInWords(consumers)}`,
    changes: [
      { field: "what it is", after: kindInWords(kind) },
      { field: "what it is for", after: description },
      ...(username === undefined ? [] : [{ field: "user", after: username }]),
      { field: "may be sent to", after: hostsInWords(allowedHosts) },
      { field: "may be used by", after: consumersInWords(consumers) },
      { field: "expires", after: expiryInWords(expiresAt === undefined ? undefined : new Date(expiresAt)) },
      { field: "to be replaced", after: policyInWords(rotateEveryDays) },
      { field: "the next step, once you agree", after: givingInWords(name) },
    ],
  };
}

function refuseUnfit({ kind, username, expiresAt }: NewCredential, now: Date): void {
  if (kind === "git-https" && username === undefined)
    throw new HubError(
      "INPUT_INVALID",
      "username: Git over https asks for a user; servers say which goes with a token.",
      {
        path: "username",
      },
    );
  if (kind === "bearer-token" && username !== undefined)
    throw new HubError("INPUT_INVALID", "username: a bearer token is sent without one.", { path: "username" });
  refusePast(expiresAt, now);
}

/** Throws INPUT_INVALID. */
export function refusePast(expiresAt: string | null | undefined, now: Date): void {
  if (expiresAt === undefined || expiresAt === null || new Date(expiresAt) > now) return;
  throw new HubError("INPUT_INVALID", "expiresAt: a time to come.", { path: "expiresAt" });
}

async function refuseTaken(credentials: Pick<CredentialReader, "byName">, name: string): Promise<void> {
  if (!(await credentials.byName(name))) return;
  throw new HubError("ALREADY_EXISTS", `There is a credential ${name} already.`, { path: "name" });
}
