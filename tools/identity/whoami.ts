import * as z from "zod";
import { principalShape, tokenShape } from "../../contracts/identity/principal.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { principalTarget } from "../../server/domain/identity/targets.ts";
import { whoami } from "../../server/domain/identity/whoami.ts";

export const identityWhoami = defineAction({
  name: "system_identity_whoami",
  title: "Who am I",
  description:
    "Answers who you are to this hub: your principal with its roles, the person behind it, the account with its profile, and the policy in force. A good first call.",
  permission: "system.identity.self",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({}),
  output: z.strictObject({
    account: z.strictObject({
      id: z.string(),
      name: z.string(),
      profile: z.enum(["solo", "team"]),
      people: z.int().describe("people who can sign"),
    }),
    principal: principalShape,
    token: tokenShape.optional(),
    policy: z.strictObject({ version: z.int(), hash: z.string() }),
  }),
  errors: [],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Operator", "Agent", "Service"],
  target: (_input, { read, call }) => principalTarget(read.identity, call.caller.principal.id),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ account, principal }) =>
    `You are the ${principal.kind} "${principal.name}" (${principal.roles.join(", ")}) in the account "${account.name}", profile ${account.profile}.`,
  handler: (_input, { read, call }) => whoami(read.identity, call),
});
