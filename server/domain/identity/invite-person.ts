import { v7 } from "uuid";
import type { Role } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { CLAIM_VALID_MS, claimView } from "./claim.ts";
import { refuseForeignRoles, refuseTakenName, rolesInWords } from "./create-principal.ts";
import type { IdentityReader } from "./identity-store.ts";

const DAY_MS = 86_400_000;

export interface InviteInput {
  readonly personName: string;
  /** Of the operator that the person will be. */
  readonly roles: readonly Role[];
  readonly expiresInDays: number;
}

export interface Invited extends ReturnType<typeof claimView> {
  readonly invitationId: string;
  readonly personName: string;
  readonly roles: Role[];
  readonly expiresAt: string;
}

/**
 * Invites a person to join and answers with a claim; the invitation's code is made when it is claimed. Throws
 * INPUT_INVALID (roles that no operator holds), ALREADY_EXISTS (the name is taken).
 */
export async function invitePerson(
  { identity, events }: IdentityChange,
  input: InviteInput,
  { now, caller }: ActingCall,
): Promise<Invited> {
  const { personName, roles, expiresInDays } = input;
  await refuseUnfit(identity, input);
  const created = { createdBy: caller.principal.id, createdAt: now };
  const invitation = {
    ...{ id: v7(), personName, roles, ...created },
    expiresAt: new Date(now.getTime() + expiresInDays * DAY_MS),
  };
  await identity.addInvitation(invitation);
  const claimEnd = Math.min(now.getTime() + CLAIM_VALID_MS, invitation.expiresAt.getTime());
  const claim = {
    ...{ id: v7(), ...created, expiresAt: new Date(claimEnd) },
    subject: { kind: "invitation", invitationId: invitation.id } as const,
  };
  await identity.addClaim(claim);
  await events.emit({
    type: "identity.person_invited",
    subject: `identity/invitation/${invitation.id}`,
    data: { roles, by: caller.principal.id },
  });
  return {
    ...{ invitationId: invitation.id, personName, roles: [...roles] },
    expiresAt: invitation.expiresAt.toISOString(),
    ...claimView(claim),
  };
}

/** What approvers see; refuses what could never succeed. */
export async function previewInvite(
  identity: IdentityReader,
  input: InviteInput,
  { caller }: Pick<ActingCall, "caller">,
): Promise<Preview> {
  await refuseUnfit(identity, input);
  const { personName, roles, expiresInDays } = input;
  return {
    headline: `${caller.principal.name} asks to invite ${personName} to join this account as a person, with a signing key of their own`,
    changes: [
      ...rolesInWords(roles),
      { field: "to be accepted within", after: expiresInDays === 1 ? "1 day" : `${expiresInDays} days` },
    ],
  };
}

/** An invitation that nobody accepted yet opens nothing any more. Throws NOT_FOUND, CONFLICT. */
export async function cancelInvitation(
  { identity, events }: IdentityChange,
  { invitationId }: { readonly invitationId: string },
  { now, caller }: ActingCall,
): Promise<{ invitationId: string; personName: string; cancelledAt: string }> {
  const invitation = await identity.lockInvitation(invitationId);
  const path = "invitationId";
  if (!invitation) throw new HubError("NOT_FOUND", "There is no such invitation.", { path });
  const { acceptedAt, cancelledAt, personName } = invitation;
  if (acceptedAt) {
    const message = `This invitation was accepted on ${acceptedAt.toISOString()}; to keep that person out, ban who joined by it.`;
    throw new HubError("CONFLICT", message, { path });
  }
  if (cancelledAt) {
    throw new HubError("CONFLICT", `This invitation was cancelled on ${cancelledAt.toISOString()}.`, { path });
  }
  await identity.cancelInvitation(invitationId, { at: now, by: caller.principal.id });
  await events.emit({
    type: "identity.invitation_cancelled",
    subject: `identity/invitation/${invitationId}`,
    data: { by: caller.principal.id },
  });
  return { invitationId, personName, cancelledAt: now.toISOString() };
}

async function refuseUnfit(identity: IdentityReader, { personName, roles }: InviteInput): Promise<void> {
  refuseForeignRoles("operator", roles);
  await refuseTakenName(identity, personName, "personName");
}
