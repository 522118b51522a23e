import { v7 } from "uuid";
import type { PrincipalReference } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { CLAIM_VALID_MS, claimView } from "./claim.ts";
import { refuseHub, requirePrincipal } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { PrincipalRow } from "./rows.ts";
import { principalReferenceView } from "./views.ts";

/** Live tokens of one principal: more than anybody keeps track of. */
export const MAX_LIVE_TOKENS = 20;

export interface IssueTokenInput {
  readonly principalId: string;
  /** What it is for. */
  readonly note: string;
  readonly validDays: number;
}

/**
 * Answers with a claim; the token is made when it is claimed. Throws NOT_FOUND, and CONFLICT where the principal is
 * banned, is the hub's own or has too many tokens.
 */
export async function issueToken(
  { identity, events }: IdentityChange,
  { principalId, note, validDays }: IssueTokenInput,
  { now, caller }: ActingCall,
): Promise<{ principal: PrincipalReference; validDays: number } & ReturnType<typeof claimView>> {
  const principal = requirePrincipal(await identity.lockPrincipal(principalId));
  await refuseUnfit(identity, principal, now);
  const claim = {
    id: v7(),
    subject: { kind: "token", principalId, note, validDays } as const,
    createdBy: caller.principal.id,
    createdAt: now,
    expiresAt: new Date(now.getTime() + CLAIM_VALID_MS),
  };
  await identity.addClaim(claim);
  await events.emit({
    type: "identity.token_issued",
    subject: `identity/principal/${principalId}`,
    data: { claimId: claim.id, by: caller.principal.id },
  });
  return { principal: principalReferenceView(principal), validDays, ...claimView(claim) };
}

/** What approvers see; refuses what could never succeed. */
export async function previewIssueToken(
  identity: IdentityReader,
  { principalId, note, validDays }: IssueTokenInput,
  { now, caller }: ActingCall,
): Promise<Preview> {
  const principal = requirePrincipal(await identity.principal(principalId));
  await refuseUnfit(identity, principal, now);
  return {
    headline: `${caller.principal.name} asks for an access token of the ${principal.kind} "${principal.name}": whoever holds it acts in that name`,
    changes: [
      { field: "roles of that name", after: principal.roles.join(", ") },
      { field: "valid for", after: validDays === 1 ? "1 day" : `${validDays} days` },
      { field: "used for", after: note },
    ],
  };
}

/** What keeps a token from being made for this principal. Throws CONFLICT. */
export async function refuseUnfit(identity: IdentityReader, principal: PrincipalRow, now: Date): Promise<void> {
  refuseHub(principal);
  const path = "principalId";
  if (await identity.banInForce(principal.id, now)) {
    throw new HubError("CONFLICT", "This principal is banned; lift the ban before it gets a token.", { path });
  }
  if ((await identity.liveTokens(principal.id, now)) >= MAX_LIVE_TOKENS) {
    const message = `This principal has ${MAX_LIVE_TOKENS} tokens that work; revoke one that is not needed any more.`;
    throw new HubError("CONFLICT", message, { path });
  }
}
