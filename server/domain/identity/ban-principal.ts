import { v7 } from "uuid";
import type { PrincipalReference } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import { approvalEvent } from "../approvals/approval-events.ts";
import type { ApprovalWriter } from "../approvals/approval-store.ts";
import { stateAt } from "../approvals/request-state.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { isAdmin, refuseHub, requirePrincipal } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { BanRow, PrincipalRow } from "./rows.ts";
import { principalReferenceView } from "./views.ts";

/** What a ban touches: the principal, and what waits for approval in its name. */
export interface BanChange extends IdentityChange {
  readonly approvals: Pick<ApprovalWriter, "lockRequester" | "pendingOf" | "close">;
}

export interface BanInput {
  readonly principalId: string;
  readonly reason: string;
  /** ISO 8601; the ban ends by itself then. */
  readonly until?: string | undefined;
}

export interface BanResult {
  readonly banId: string;
  readonly principal: PrincipalReference;
  readonly bannedAt: string;
  readonly until?: string;
  /** Of the same person, still able to act. */
  readonly stillActive: PrincipalReference[];
}

/**
 * Bans a principal, from its next call on; what waits for approval in its name becomes stale. Throws NOT_FOUND,
 * INPUT_INVALID (`until` is past), CONFLICT (banned already, the last operator who could administer, or the hub's own principal).
 */
export async function banPrincipal(
  { identity, events, approvals }: BanChange,
  { principalId, reason, until: untilText }: BanInput,
  { now, caller }: ActingCall,
): Promise<BanResult> {
  const until = endOf(untilText, now);
  // one at a time in an account: two operators who ban each other must not both succeed
  await identity.lockAccount();
  const principal = requirePrincipal(await identity.lockPrincipal(principalId));
  refuseHub(principal);
  refuseBannedTwice(await identity.banInForce(principalId, now));
  await refuseLastOperator(identity, principal, now);
  const ban = { id: v7(), principalId, reason, bannedBy: caller.principal.id, bannedAt: now, ...(until && { until }) };
  await identity.addBan(ban);
  await identity.bumpPrincipal(principalId);
  await closeRequests({ approvals, events }, principalId, now);
  await events.emit({
    type: "identity.principal_banned",
    subject: `identity/principal/${principalId}`,
    data: { banId: ban.id, by: caller.principal.id, ...(until && { until: until.toISOString() }) },
  });
  return {
    banId: ban.id,
    principal: principalReferenceView(principal),
    bannedAt: now.toISOString(),
    ...(until && { until: until.toISOString() }),
    stillActive: await othersOf(identity, principal, now),
  };
}

/** Lifting the ban brings none of them back: they can be asked for again. */
async function closeRequests(
  { approvals, events }: Pick<BanChange, "approvals" | "events">,
  principalId: string,
  now: Date,
): Promise<void> {
  // who opens a request holds this lock: either it is there to be closed, or it waits for the ban
  await approvals.lockRequester(principalId);
  for (const request of await approvals.pendingOf(principalId)) {
    if (stateAt(request, now) === "expired") continue; // it ends as such, by itself
    await approvals.close(request.id, ["open", "approved"], {
      state: "stale",
      at: now,
      errorCode: "APPROVAL_STALE",
      errorMessage: "The principal that asked for this was banned.",
    });
    await events.emit(approvalEvent("stale", request));
  }
}

function endOf(text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const until = new Date(text);
  if (until > now) return until;
  throw new HubError("INPUT_INVALID", `until: a ban ends after now, which is ${now.toISOString()}`, { path: "until" });
}

function refuseBannedTwice(ban: BanRow | undefined): void {
  if (!ban) return;
  const { bannedAt, bannedBy, until } = ban;
  const end = until ? `until ${until.toISOString()}` : "until the ban is lifted";
  const message = `This principal is banned already: since ${bannedAt.toISOString()}, by the principal ${bannedBy}, ${end}.`;
  throw new HubError("CONFLICT", message, {
    path: "principalId",
    details: { banId: ban.id, bannedBy, bannedAt: bannedAt.toISOString() },
  });
}

/** An account in which nobody could lift the ban again is lost. */
async function refuseLastOperator(identity: IdentityReader, principal: PrincipalRow, now: Date): Promise<void> {
  if (!isAdmin(principal)) return;
  if ((await identity.otherAdmins(principal.id, now)) > 0) return;
  const message =
    "This is the last operator who could administer the account; before you ban this one, invite another or issue a token to one that has none.";
  throw new HubError("CONFLICT", message, { path: "principalId" });
}

async function othersOf(identity: IdentityReader, principal: PrincipalRow, now: Date): Promise<PrincipalReference[]> {
  const personId = principal.person?.id ?? principal.owner?.id;
  if (personId === undefined) return [];
  const principals = await identity.unbannedOf(personId, now);
  return principals.filter(({ id }) => id !== principal.id).map(principalReferenceView);
}
