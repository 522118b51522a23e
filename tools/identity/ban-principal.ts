import * as z from "zod";
import { plainText, principalId, principalReference } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { banPrincipal as ban } from "../../server/domain/identity/ban-principal.ts";
import { principalTarget } from "../../server/domain/identity/targets.ts";

export const banPrincipal = defineAction({
  name: "system_identity_ban_principal",
  title: "Ban a principal",
  description:
    "Refuses every call of a principal from its next one on, and makes stale what waits for approval in its name. It acts at once; the last operator cannot be banned. Other principals of the same person stay able to act: the answer names them.",
  permission: "system.identity.ban",
  risk: { effect: "destructive", approval: "none", loosens: false },
  input: z.strictObject({
    principalId,
    reason: plainText(500).describe("why; shown to operators, never to the banned"),
    until: z.iso.datetime().optional().describe("the ban ends by itself then; until it is lifted if left out"),
  }),
  output: z.strictObject({
    banId: z.string(),
    principal: principalReference,
    bannedAt: z.iso.datetime(),
    until: z.iso.datetime().optional(),
    stillActive: z.array(principalReference).describe("of the same person, able to act"),
  }),
  errors: ["NOT_FOUND", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["until"],
  resource: ["Operator", "Agent", "Service"],
  target: (input, { read }) => principalTarget(read.identity, input.principalId),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ principal, until, stillActive }) =>
    `The ${principal.kind} "${principal.name}" is banned ${until ? `until ${until}` : "until the ban is lifted"}.${stillActive.length ? ` Of the same person, ${stillActive.map((p) => `"${p.name}"`).join(", ")} can still act.` : ""}`,
  handler: (input, { tx, call }) => ban(tx, input, call),
});
