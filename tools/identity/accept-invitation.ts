import * as z from "zod";
import { identityId, principalShape } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { acceptInvitation as accept, previewAcceptInvitation } from "../../server/domain/identity/accept-invitation.ts";

export const acceptInvitation = defineAction({
  name: "system_identity_accept_invitation",
  title: "Accept an invitation",
  description:
    "Makes whoever holds an invitation's code a person of the account, with a signing key whose private half stays with them. The hub runs it in its own name: the one who joins is nobody yet.",
  permission: "system.identity.enrol",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({
    code: z.string().max(200).describe("the invitation code, csi_..."),
    publicKey: z.string().max(200).describe("Ed25519 public key, SPKI DER in Base 64"),
    proof: z.string().max(200).describe("the key's signature over the enrolment statement, Base 64"),
    token: z
      .strictObject({
        id: identityId,
        sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits"),
      })
      .describe("id and SHA-256 of the secret of the person's first token, made on the person's own machine"),
  }),
  output: z.strictObject({
    account: z.strictObject({ id: z.string(), name: z.string(), profile: z.enum(["solo", "team"]) }),
    principal: principalShape,
    keyId: z.string(),
    token: z.strictObject({ id: z.string(), expiresAt: z.iso.datetime() }),
    people: z.int().describe("people who can sign now"),
    teamOnOffer: z.boolean().describe("system_identity_set_profile can now make approvals need other people"),
  }),
  errors: ["INVITATION_INVALID", "INVITATION_EXPIRED", "PROOF_INVALID", "CONFLICT", "ALREADY_EXISTS"],
  channels: ["http"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  preview: (input, { read, call }) => previewAcceptInvitation(read.identity, input, call),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ account, principal, teamOnOffer }) =>
    `${principal.name} has joined the account "${account.name}" (${principal.roles.join(", ")}).${teamOnOffer ? " Two people can sign now: with the profile `team`, approvals need somebody other than who asks (`npx countersign call system_identity_set_profile`)." : ""}`,
  handler: (input, { tx, call }) => accept(tx, input, call),
});
