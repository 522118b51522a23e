import * as z from "zod";
import { identityId } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { cancelInvitation as cancel } from "../../server/domain/identity/invite-person.ts";

export const cancelInvitation = defineAction({
  name: "system_identity_cancel_invitation",
  title: "Cancel an invitation",
  description:
    "Makes an invitation that nobody accepted yet worthless, at once: for a code that went to the wrong hands.",
  permission: "system.identity.invite",
  risk: { effect: "destructive", approval: "none", loosens: false },
  input: z.strictObject({ invitationId: identityId.describe("as system_identity_invite_person told it") }),
  output: z.strictObject({ invitationId: z.string(), personName: z.string(), cancelledAt: z.iso.datetime() }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ personName }) => `The invitation of ${personName} is cancelled.`,
  handler: (input, { tx, call }) => cancel(tx, input, call),
});
