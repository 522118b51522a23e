import * as z from "zod";
import { identityId } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { claimSecret as claim } from "../../server/domain/identity/claim-secret.ts";

export const claimSecret = defineAction({
  name: "system_identity_claim_secret",
  title: "Fetch a granted secret",
  description:
    "Makes the token or invitation code that a claim stands for and shows it once; the hub keeps its SHA-256 alone. For operators, on the command line.",
  permission: "system.identity.claim",
  risk: { effect: "write", approval: "none", loosens: false },
  input: z.strictObject({ claimId: identityId.describe("as the call that granted the secret told it") }),
  output: z.strictObject({
    kind: z.enum(["token", "invitation"]),
    id: z.string().describe("the token's or the invitation's id: no secret"),
    secret: z.string().describe("cs_... or csi_...: keep it, it is not shown again"),
    expiresAt: z.iso.datetime(),
  }),
  errors: ["NOT_FOUND", "FORBIDDEN", "CLAIM_EXPIRED", "INVITATION_EXPIRED", "CONFLICT"],
  channels: ["http"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: true,
  timeLimitMs: 5_000,
  summary: ({ kind, id, expiresAt }) => `The ${kind} ${id} is made and works until ${expiresAt}.`,
  handler: (input, { tx, call }) => claim(tx, input, call),
});
