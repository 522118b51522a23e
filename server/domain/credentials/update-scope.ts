import { addedHosts, allowsConsumer, normalAllowedHost } from "../../../contracts/credentials/allowed-host.ts";
import type { ScopeChange } from "../../../contracts/credentials/credential.ts";
import {
  consumersInWords,
  expiryInWords,
  hostsInWords,
  policyInWords,
} from "../../../contracts/credentials/scope-words.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { withDigest } from "./credential-record.ts";
import type { CredentialReader, CredentialRecord, StoredCredential } from "./credential-store.ts";
import { credentialSubject, findCredential, lockCredential } from "./find-credential.ts";
import { refuseReplaced } from "./open-credential.ts";
import { refuseUnreachable } from "./reachable-hosts.ts";
import { type ChangedBy, type CredentialChange, type Reach, refusePast } from "./store-credential.ts";

type Scope = Pick<CredentialRecord, "allowedHosts" | "consumers" | "expiresAt" | "rotateEveryDays">;

/**
 * Changes where a credential may be sent, by what it may be used, until when, and how often its secret is due. Throws
 * NOT_FOUND, CREDENTIAL_REPLACED, EGRESS_REFUSED of a new host, and INPUT_INVALID where nothing changes, or where it lets
 * through more than before and does not say so.
 */
export async function updateScope(
  { credentials, events }: CredentialChange,
  input: ScopeChange,
  { by, now, refuseAddress }: ChangedBy & Reach,
): Promise<StoredCredential> {
  const { credential, latest } = await lockCredential(credentials, input.name);
  refuseReplaced(credential, latest);
  const scope = scopeAfter(credential, input, now);
  refuseUnreachable(credential.kind, newHosts(credential, scope), refuseAddress);
  const widened = refuseUnsaid(credential, scope, input.widen);
  const next = withDigest({ ...credential, ...scope, version: credential.version + 1 });
  await credentials.put({ ...next, providedAt: credential.providedAt, at: now });
  await events.emit({
    type: "credentials.scope_changed",
    subject: credentialSubject(input.name),
    data: { version: next.version, widened: widened.length > 0, by },
  });
  return findCredential(credentials, input.name);
}

/** What approvers see; refuses what could never succeed. */
export async function previewScope(
  credentials: Pick<CredentialReader, "byName">,
  input: ScopeChange,
  { asker, now, refuseAddress }: { readonly asker: string; readonly now: Date } & Reach,
): Promise<Preview> {
  const credential = await findCredential(credentials, input.name);
  const scope = scopeAfter(credential, input, now);
  refuseUnreachable(credential.kind, newHosts(credential, scope), refuseAddress);
  const widened = refuseUnsaid(credential, scope, input.widen);
  const verb = widened.length > 0 ? "WIDEN" : "change";
  return {
    headline: `${asker} asks to ${verb} what the credential ${input.name} may be used for${widened.length > 0 ? `: ${widened.join("; ")}` : ""}`,
    changes: [
      difference("may be sent to", hostsInWords(credential.allowedHosts), hostsInWords(scope.allowedHosts)),
      difference("may be used by", consumersInWords(credential.consumers), consumersInWords(scope.consumers)),
      difference("expires", expiryInWords(credential.expiresAt), expiryInWords(scope.expiresAt)),
      difference("to be replaced", policyInWords(credential.rotateEveryDays), policyInWords(scope.rotateEveryDays)),
    ].flat(),
  };
}

function scopeAfter(credential: StoredCredential, input: ScopeChange, now: Date): Scope {
  refusePast(input.expiresAt, now);
  const { kind } = credential;
  const { expiresAt, rotateEveryDays } = input;
  const scope: Scope = {
    allowedHosts: input.allowedHosts?.map((host) => normalAllowedHost(kind, host)) ?? credential.allowedHosts,
    consumers: input.consumers ?? credential.consumers,
    expiresAt: expiresAt === undefined ? credential.expiresAt : asDate(expiresAt),
    rotateEveryDays: rotateEveryDays === undefined ? credential.rotateEveryDays : (rotateEveryDays ?? undefined),
  };
  if (textOf(scope) !== textOf(credential)) return scope;
  throw new HubError("INPUT_INVALID", "Nothing of the credential would change.", { path: "name" });
}

/** What was kept before the hub's rules changed may stay, so that the rest of it can be narrowed. */
const newHosts = (before: Scope, after: Scope): string[] =>
  after.allowedHosts.filter((host) => !before.allowedHosts.includes(host));

const asDate = (text: string | null): Date | undefined => (text === null ? undefined : new Date(text));

const textOf = ({ allowedHosts, consumers, expiresAt, rotateEveryDays }: Scope): string =>
  JSON.stringify([[...allowedHosts].sort(), [...consumers].sort(), expiresAt?.getTime(), rotateEveryDays]);

/** What is let through that was not before, in words. Throws INPUT_INVALID where `said` is false and there is any. */
function refuseUnsaid(before: StoredCredential, after: Scope, said: boolean): string[] {
  const widened = widenings(before, after);
  if (widened.length === 0 || said) return widened;
  const sentence = `widen: this lets through more than before (${widened.join("; ")}). Say so with widen: true; two people then have to agree.`;
  throw new HubError("INPUT_INVALID", sentence, { path: "widen", details: { widened } });
}

function widenings(before: StoredCredential, after: Scope): string[] {
  const hosts = addedHosts(before.kind, before.allowedHosts, after.allowedHosts);
  const users = after.consumers.filter((consumer) => !allowsConsumer(before.consumers, consumer));
  return [
    ...(hosts.length > 0 ? [`it may be sent to ${hostsInWords(hosts)} too`] : []),
    ...(users.length > 0 ? [`it may be used by ${consumersInWords(users)} too`] : []),
    ...(outlasts(after.expiresAt?.getTime(), before.expiresAt?.getTime()) ? ["it lasts longer"] : []),
    ...(outlasts(after.rotateEveryDays, before.rotateEveryDays) ? ["its secret is due later"] : []),
  ];
}

/** Undefined is without end. */
const outlasts = (after: number | undefined, before: number | undefined): boolean =>
  (after ?? Number.POSITIVE_INFINITY) > (before ?? Number.POSITIVE_INFINITY);

const difference = (field: string, before: string, after: string) =>
  before === after ? [] : [{ field, before, after }];
