import * as z from "zod";
import { personKeyId } from "../../contracts/identity/person-key.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { revokeKey as revoke } from "../../server/domain/identity/revoke-key.ts";
import { keyTarget } from "../../server/domain/identity/targets.ts";

export const revokeKey = defineAction({
  name: "system_identity_revoke_key",
  title: "Revoke a signing key",
  description:
    "Ends a person's signing key: nothing that it signed counts any more, where it has not been carried out yet. It acts at once and cannot be undone. People revoke their own keys, administrators anybody's; the last key of the last administrator cannot be revoked.",
  permission: "system.identity.key",
  risk: { effect: "destructive", approval: "none", loosens: false },
  input: z.strictObject({ keyId: personKeyId }),
  output: z.strictObject({
    keyId: z.string(),
    personId: z.string(),
    revokedAt: z.iso.datetime(),
    left: z.int().describe("other keys of that person that sign"),
  }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["PersonKey"],
  target: (input, { read }) => keyTarget(read.identity, input.keyId),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ keyId, left }) =>
    `The key ${keyId} is revoked.${left === 0 ? " Its person has no other and signs nothing until an administrator invites them anew." : ""}`,
  handler: (input, { tx, call }) => revoke(tx, input, call),
});
