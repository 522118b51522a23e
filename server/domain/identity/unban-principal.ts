import type { PrincipalReference } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import { requirePrincipal } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { BanRow } from "./rows.ts";
import { principalReferenceView } from "./views.ts";

export interface UnbanInput {
  readonly principalId: string;
  readonly reason: string;
}

/** Lifts the ban in force. Throws NOT_FOUND, and CONFLICT where none is in force. */
export async function unbanPrincipal(
  { identity, events }: IdentityChange,
  { principalId, reason }: UnbanInput,
  { now, caller }: ActingCall,
): Promise<{ banId: string; principal: PrincipalReference; liftedAt: string }> {
  await identity.lockAccount();
  const principal = requirePrincipal(await identity.lockPrincipal(principalId));
  const ban = requireBan(await identity.banInForce(principalId, now));
  await identity.liftBan(ban.id, { at: now, by: caller.principal.id, reason });
  await identity.bumpPrincipal(principalId);
  await events.emit({
    type: "identity.principal_unbanned",
    subject: `identity/principal/${principalId}`,
    data: { banId: ban.id, by: caller.principal.id },
  });
  return { banId: ban.id, principal: principalReferenceView(principal), liftedAt: now.toISOString() };
}

/** What approvers see; refuses what could never succeed. */
export async function previewUnban(
  identity: IdentityReader,
  { principalId, reason }: UnbanInput,
  { now, caller }: ActingCall,
): Promise<Preview> {
  const principal = requirePrincipal(await identity.principal(principalId));
  const ban = requireBan(await identity.banInForce(principalId, now));
  const bannedBy = await identity.principal(ban.bannedBy);
  return {
    headline: `${caller.principal.name} asks to lift the ban on the ${principal.kind} "${principal.name}", which can then act again`,
    changes: [
      { field: "banned since", before: ban.bannedAt.toISOString() },
      { field: "banned by", before: bannedBy?.name ?? ban.bannedBy },
      { field: "reason of the ban", before: ban.reason },
      { field: "reason to lift it", after: reason },
      { field: "roles it has again", after: principal.roles.join(", ") },
    ],
  };
}

function requireBan(ban: BanRow | undefined): BanRow {
  if (!ban) throw new HubError("CONFLICT", "This principal is not banned.", { path: "principalId" });
  return ban;
}
