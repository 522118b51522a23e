import * as z from "zod";
import { defineAction } from "../../server/action/define-action.ts";
import { previewProfile, setProfile as set } from "../../server/domain/identity/set-profile.ts";
import { profileTarget } from "../../server/domain/identity/targets.ts";

const profile = z.enum(["solo", "team"]);

export const setProfile = defineAction({
  name: "system_identity_set_profile",
  title: "Change who has to agree",
  description:
    "Changes the account's profile. `solo`: one person's own signature counts for every approval, and receipts say so. `team`: approvals need people other than the one who asks. Waits for two people's approval; in `solo`, for the one person's signature.",
  permission: "system.identity.write",
  risk: { effect: "write", approval: "two-person", loosens: false },
  input: z.strictObject({ profile: profile.describe("`team` needs two people who have joined with a key") }),
  output: z.strictObject({ profile, before: profile, people: z.int().describe("people who can sign") }),
  errors: ["CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["profile"],
  resource: ["Account"],
  target: (_input, { read }) => profileTarget(read.identity),
  preview: (input, { read, call }) => previewProfile(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ profile: now, before }) => `The account's profile is ${now}; it was ${before}.`,
  handler: (input, { tx, call }) => set(tx, input, call),
});
