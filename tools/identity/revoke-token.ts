import * as z from "zod";
import { identityId } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { revokeToken as revoke } from "../../server/domain/identity/revoke-token.ts";
import { tokenTarget } from "../../server/domain/identity/targets.ts";

export const revokeToken = defineAction({
  name: "system_identity_revoke_token",
  title: "Revoke an access token",
  description:
    "Makes a token worthless from its next call on. It acts at once and cannot be undone; issue a new one instead. The last token by which anybody could administer the account cannot be revoked.",
  permission: "system.identity.token",
  risk: { effect: "destructive", approval: "none", loosens: false },
  input: z.strictObject({ tokenId: identityId.describe("as system_identity_list_principals tells it") }),
  output: z.strictObject({ tokenId: z.string(), principalId: z.string(), revokedAt: z.iso.datetime() }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Token"],
  target: (input, { read }) => tokenTarget(read.identity, input.tokenId),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ tokenId, principalId }) => `The token ${tokenId} of the principal ${principalId} is revoked.`,
  handler: (input, { tx, call }) => revoke(tx, input, call),
});
