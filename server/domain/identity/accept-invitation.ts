import type { KeyObject } from "node:crypto";
import { v7 } from "uuid";
import { decodeBase64 } from "../../../contracts/formats/base64.ts";
import { keyId, publicKeyFromBase64, publicKeyToDer, SIGNATURE_LENGTH } from "../../../contracts/formats/ed25519.ts";
import {
  type BearerSecret,
  INVITATION_PREFIX,
  parseSecret,
  secretMatches,
} from "../../../contracts/identity/bearer-secret.ts";
import { provesEnrolment } from "../../../contracts/identity/enrolment.ts";
import type { PrincipalShape } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { refuseTakenName } from "./create-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { InvitationRow } from "./rows.ts";
import { principalView } from "./views.ts";

const DAY_MS = 86_400_000;
const TOKEN_DAYS = 90;
/** What an unknown invitation's secret is compared with. */
const NOBODY = Buffer.alloc(32);

export interface AcceptInput {
  /** `csi_...` */
  readonly code: string;
  /** SPKI DER, Base 64. */
  readonly publicKey: string;
  /** The signature over `enrolmentBytes`, Base 64. */
  readonly proof: string;
  /** The person's first token: the hub never sees its secret. */
  readonly token: { readonly id: string; readonly sha256: string };
}

export interface Accepted {
  readonly account: { readonly id: string; readonly name: string; readonly profile: "solo" | "team" };
  readonly principal: PrincipalShape;
  readonly keyId: string;
  readonly token: { readonly id: string; readonly expiresAt: string };
  /** People who can sign now. */
  readonly people: number;
  /** There are two people and more, and the account still lives by one person's signature. */
  readonly teamOnOffer: boolean;
}

/**
 * Makes whoever holds an invitation's code and a key of their own a person of the account, with an operator that has
 * the invitation's roles and name. The caller is the hub's own principal: who joins is nobody yet.
 *
 * Throws INPUT_INVALID (no usable key), INVITATION_INVALID (unknown, malformed or wrong code: one answer for all),
 * INVITATION_EXPIRED, PROOF_INVALID (the key's holder did not sign this), CONFLICT (accepted, cancelled, or the one who
 * invited is banned), ALREADY_EXISTS (the key, the token or the name).
 */
export async function acceptInvitation(
  { identity, events }: IdentityChange,
  input: AcceptInput,
  { now }: Pick<ActingCall, "now">,
): Promise<Accepted> {
  const code = parseSecret(INVITATION_PREFIX, input.code);
  const publicKey = readKey(input.publicKey);
  const account = await identity.lockAccount();
  const invitation = code && (await identity.lockInvitation(code.id));
  const matches = secretMatches(code?.secret ?? NOBODY, invitation?.sha256 ?? NOBODY);
  if (!code || !invitation || !matches) throw invalidCode();
  await refuseClosed(identity, invitation, now);
  refuseUnproven(code, publicKey, input);
  await refuseTakenName(identity, invitation.personName, "code");

  const person = { id: v7(), name: invitation.personName };
  const key = { keyId: keyId(publicKey), personId: person.id, algorithm: "ed25519" } as const;
  const principal = { id: v7(), kind: "operator", name: person.name, roles: invitation.roles, createdAt: now } as const;
  await identity.addPerson({ ...person, createdAt: now });
  await identity.addKey({ ...key, publicKey: publicKeyToDer(publicKey), enrolledAt: now });
  await identity.addPrincipal({ ...principal, personId: person.id });
  const expiresAt = new Date(now.getTime() + TOKEN_DAYS * DAY_MS);
  await identity.addToken({
    ...{ id: input.token.id, principalId: principal.id, sha256: Buffer.from(input.token.sha256, "hex") },
    ...{ note: "made when joining", createdBy: principal.id, createdAt: now, expiresAt },
  });
  await identity.acceptInvitation(invitation.id, { at: now, personId: person.id });
  await events.emit({
    type: "identity.person_enrolled",
    subject: `identity/person/${person.id}`,
    data: { invitationId: invitation.id, principalId: principal.id, keyId: key.keyId },
  });
  const people = await identity.enrolledPeople(now);
  return {
    account: { id: account.id, name: account.name, profile: account.profile },
    principal: principalView({ ...principal, version: 1, person }),
    keyId: key.keyId,
    token: { id: input.token.id, expiresAt: expiresAt.toISOString() },
    people,
    teamOnOffer: account.profile === "solo" && people > 1,
  };
}

/** What approvers see where a policy asks for them; never the code. Refuses what could never succeed. */
export async function previewAcceptInvitation(
  identity: IdentityReader,
  input: AcceptInput,
  { now }: Pick<ActingCall, "now">,
): Promise<Preview> {
  const code = parseSecret(INVITATION_PREFIX, input.code);
  const publicKey = readKey(input.publicKey);
  const invitation = code && (await identity.invitation(code.id));
  const matches = secretMatches(code?.secret ?? NOBODY, invitation?.sha256 ?? NOBODY);
  if (!code || !invitation || !matches) throw invalidCode();
  await refuseClosed(identity, invitation, now);
  refuseUnproven(code, publicKey, input);
  const { personName, roles } = invitation;
  await refuseTakenName(identity, personName, "code");
  return {
    headline: `${personName}, who was invited, asks to join this account as a person, with a signing key of their own`,
    changes: [
      { field: "roles", after: roles.join(", ") },
      { field: "key id", after: keyId(publicKey) },
    ],
  };
}

function readKey(text: string): KeyObject {
  try {
    return publicKeyFromBase64(text);
  } catch (error) {
    const message = error instanceof HubError ? error.message : "This is no public key.";
    throw new HubError("INPUT_INVALID", `publicKey: ${message}`, { path: "publicKey", cause: error });
  }
}

function invalidCode(): HubError {
  return new HubError("INVITATION_INVALID", "This invitation code opens nothing; ask who invited you for a new one.", {
    path: "code",
  });
}

/** Told to those alone who hold the code. */
async function refuseClosed(
  identity: IdentityReader,
  { acceptedAt, cancelledAt, expiresAt, createdBy }: InvitationRow,
  now: Date,
): Promise<void> {
  const path = "code";
  if (acceptedAt) {
    throw new HubError("CONFLICT", `This invitation was accepted on ${acceptedAt.toISOString()}; it serves once.`, {
      path,
    });
  }
  if (cancelledAt) throw new HubError("CONFLICT", "This invitation was cancelled; ask for a new one.", { path });
  if (expiresAt <= now) {
    const message = `This invitation expired on ${expiresAt.toISOString()}; ask for a new one.`;
    throw new HubError("INVITATION_EXPIRED", message, { path });
  }
  if (await identity.banInForce(createdBy, now)) {
    throw new HubError("CONFLICT", "Who sent this invitation is banned; ask somebody else for a new one.", { path });
  }
}

function refuseUnproven(invitation: BearerSecret, publicKey: KeyObject, { proof, token }: AcceptInput): void {
  const signature = decodeBase64(proof);
  const enrolment = { invitation, publicKey, token: { id: token.id, sha256: Buffer.from(token.sha256, "hex") } };
  if (signature?.length === SIGNATURE_LENGTH && provesEnrolment(enrolment, signature)) return;
  const message = "The proof was not made with this key for this invitation and this token.";
  throw new HubError("PROOF_INVALID", message, { path: "proof" });
}
