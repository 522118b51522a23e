import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { AccountRow } from "./rows.ts";

export type Profile = AccountRow["profile"];

/** What each profile means for who has to agree. */
const IN_WORDS: Readonly<Record<Profile, string>> = {
  solo: "the one person's own signature counts for every approval; receipts say so",
  team: "approvals need people other than the one who asks; two-person approvals need two of them",
};

/** Throws CONFLICT where the profile is in force already, or `team` has not two people who can sign. */
export async function setProfile(
  { identity, events }: IdentityChange,
  { profile }: { readonly profile: Profile },
  { now, caller }: ActingCall,
): Promise<{ profile: Profile; before: Profile; people: number }> {
  const { id, profile: before } = await identity.lockAccount();
  const people = await refuseUnfit(identity, before, profile, now);
  await identity.setProfile(profile);
  await events.emit({
    type: "identity.profile_changed",
    subject: `identity/account/${id}`,
    data: { before, after: profile, by: caller.principal.id },
  });
  return { profile, before, people };
}

/** What approvers see; refuses what could never succeed. */
export async function previewProfile(
  identity: IdentityReader,
  { profile }: { readonly profile: Profile },
  { now, caller }: ActingCall,
): Promise<Preview> {
  const { name, profile: before } = await identity.account();
  const people = await refuseUnfit(identity, before, profile, now);
  return {
    headline: `${caller.principal.name} asks to change who has to agree in the account "${name}": from ${before} to ${profile}`,
    changes: [
      { field: "approvals", before: IN_WORDS[before], after: IN_WORDS[profile] },
      { field: "people who can sign", after: String(people) },
      ...(profile === "team" && people < 3 ? [{ field: "mind", after: TWO_PEOPLE }] : []),
    ],
  };
}

const TWO_PEOPLE =
  "with two people nothing that needs two others to agree can be done, going back to solo included, until a third person joins";

async function refuseUnfit(identity: IdentityReader, before: Profile, after: Profile, now: Date): Promise<number> {
  if (before === after)
    throw new HubError("CONFLICT", `The account's profile is ${after} already.`, { path: "profile" });
  const people = await identity.enrolledPeople(now);
  if (after === "solo" || people > 1) return people;
  const message = "A team has two people who can sign, at least; invite one with system_identity_invite_person first.";
  throw new HubError("CONFLICT", message, { path: "profile" });
}
