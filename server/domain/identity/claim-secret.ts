import { v7 } from "uuid";
import {
  formatSecret,
  generateSecret,
  INVITATION_PREFIX,
  secretDigest,
  TOKEN_PREFIX,
} from "../../../contracts/identity/bearer-secret.ts";
import { HubError } from "../../errors.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { requirePrincipal } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import { refuseUnfit } from "./issue-token.ts";
import type { ClaimRow, ClaimSubject, PrincipalRow } from "./rows.ts";

const DAY_MS = 86_400_000;

export interface ClaimedSecret {
  readonly kind: ClaimSubject["kind"];
  /** The token's or the invitation's id: no secret. */
  readonly id: string;
  /** `cs_...` or `csi_...`: told once, kept nowhere. */
  readonly secret: string;
  readonly expiresAt: string;
}

/**
 * Makes the secret that a claim stands for, and keeps its SHA-256 alone. For the person who asked, or whose agent did;
 * an agent's token for the agent's owner as well; an operator's token for the person that the operator is, and nobody
 * else: with it, whoever asked would be two people. Throws NOT_FOUND, FORBIDDEN, CLAIM_EXPIRED, and CONFLICT where it was claimed
 * before or what it is for has changed since.
 */
export async function claimSecret(
  tx: IdentityChange,
  { claimId }: { readonly claimId: string },
  call: ActingCall,
): Promise<ClaimedSecret> {
  const { identity, events } = tx;
  const { now, caller } = call;
  const claim = await identity.lockClaim(claimId);
  if (!claim) throw new HubError("NOT_FOUND", "There is no such claim.", { path: "claimId" });
  await refuseStranger(identity, claim, caller.principal);
  refuseSpent(claim, now);
  const claimed =
    claim.subject.kind === "token" ? await makeToken(tx, claim.subject, call) : await makeCode(tx, claim.subject, call);
  await identity.spendClaim(claimId, { at: now, by: caller.principal.id });
  await events.emit({
    type: "identity.secret_claimed",
    subject: `identity/${claimed.kind}/${claimed.id}`,
    data: { claimId, by: caller.principal.id },
  });
  return claimed;
}

async function makeToken(
  { identity }: IdentityChange,
  { principalId, note, validDays }: Extract<ClaimSubject, { kind: "token" }>,
  { now, caller }: ActingCall,
): Promise<ClaimedSecret> {
  const principal = requirePrincipal(await identity.lockPrincipal(principalId));
  await refuseUnfit(identity, principal, now);
  const id = v7();
  const secret = generateSecret();
  const expiresAt = new Date(now.getTime() + validDays * DAY_MS);
  const sha256 = secretDigest(secret);
  await identity.addToken({ id, principalId, sha256, note, createdBy: caller.principal.id, createdAt: now, expiresAt });
  return { kind: "token", id, secret: formatSecret(TOKEN_PREFIX, { id, secret }), expiresAt: expiresAt.toISOString() };
}

async function makeCode(
  { identity }: IdentityChange,
  { invitationId: id }: Extract<ClaimSubject, { kind: "invitation" }>,
  { now }: ActingCall,
): Promise<ClaimedSecret> {
  const invitation = await identity.lockInvitation(id);
  if (!invitation || invitation.cancelledAt) throw new HubError("CONFLICT", "This invitation was cancelled.");
  if (invitation.expiresAt <= now)
    throw new HubError("INVITATION_EXPIRED", "This invitation has expired; ask for a new one.");
  const secret = generateSecret();
  await identity.setInvitationSecret(id, secretDigest(secret));
  const code = formatSecret(INVITATION_PREFIX, { id, secret });
  return { kind: "invitation", id, secret: code, expiresAt: invitation.expiresAt.toISOString() };
}

function refuseSpent({ claimedAt, expiresAt }: ClaimRow, now: Date): void {
  if (claimedAt) {
    const message = `This claim was used on ${claimedAt.toISOString()}, and a secret is shown once; ask for a new one.`;
    throw new HubError("CONFLICT", message, { path: "claimId" });
  }
  if (expiresAt > now) return;
  const message = `This claim expired on ${expiresAt.toISOString()}; ask for a new one.`;
  throw new HubError("CLAIM_EXPIRED", message, { path: "claimId" });
}

async function refuseStranger(
  identity: IdentityReader,
  { createdBy, subject }: ClaimRow,
  claimant: ActingCall["caller"]["principal"],
): Promise<void> {
  const holder = subject.kind === "token" ? await identity.principal(subject.principalId) : undefined;
  const isOperators = holder?.kind === "operator";
  const people = [personOf(holder), ...(isOperators ? [] : [personOf(await identity.principal(createdBy))])];
  // only an operator is a person
  if (claimant.personId !== undefined && people.includes(claimant.personId)) return;
  const whose = holder?.kind === "agent" ? ", or whom the agent answers to" : "";
  const message = isOperators
    ? "This claim is for the person in whose name the token will act, whoever asked for it."
    : `This claim is for the person who asked for it, or whose agent did${whose}.`;
  throw new HubError("FORBIDDEN", message, { path: "claimId" });
}

function personOf(principal: PrincipalRow | undefined): string | undefined {
  return principal?.person?.id ?? principal?.owner?.id;
}
