import * as z from "zod";
import { claimShape, displayName, role, roles } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { invitePerson as invite, previewInvite } from "../../server/domain/identity/invite-person.ts";

export const invitePerson = defineAction({
  name: "system_identity_invite_person",
  title: "Invite a person",
  description:
    "Invites a person to join the account with a signing key of their own. Answers with a claim: the one who asked (or whose agent asked) fetches the invitation code on the command line, once, and hands it to that person. Usually waits for a person's approval.",
  permission: "system.identity.invite",
  risk: { effect: "write", approval: "approve", loosens: false },
  input: z.strictObject({
    personName: displayName.describe("how the person will be called here, in previews and receipts"),
    roles: roles.describe("of the person's operator: admin, operator, approver, reader, auditor"),
    expiresInDays: z.int().min(1).max(30).default(7).describe("days within which the person must join"),
  }),
  output: claimShape.extend({
    invitationId: z.string(),
    personName: z.string(),
    roles: z.array(role),
    expiresAt: z.iso.datetime(),
  }),
  errors: ["ALREADY_EXISTS"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["roles"],
  resource: ["Account"],
  target: "account",
  preview: (input, { read, call }) => previewInvite(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ personName, next, claimExpiresAt }) =>
    `${personName} is invited. Fetch the code with \`${next}\` before ${claimExpiresAt}.`,
  handler: (input, { tx, call }) => invite(tx, input, call),
});
