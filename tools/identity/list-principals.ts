import * as z from "zod";
import { identityId, principalKind, principalShape, role, tokenShape } from "../../contracts/identity/principal.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { principalListingView } from "../../server/domain/identity/views.ts";

const banned = z.strictObject({
  id: z.string(),
  reason: z.string(),
  bannedAt: z.iso.datetime(),
  until: z.iso.datetime().optional(),
});

export const listPrincipals = defineAction({
  name: "system_identity_list_principals",
  title: "List principals",
  description:
    "Lists operators, agents and services in the order of their creation, each with its roles, its person or owner, a ban in force and the tokens that work (never their secrets).",
  permission: "system.identity.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    kind: principalKind.optional(),
    role: role.optional().describe("those that hold this role"),
    personId: identityId.optional().describe("operators that are this person, and agents that answer to it"),
    banned: z.boolean().optional().describe("true: those under a ban; false: the others"),
  }),
  output: pageOf(principalShape.extend({ banned: banned.optional(), tokens: z.array(tokenShape) })),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["kind"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map((p) => `- ${p.kind} "${p.name}" (${p.roles.join(", ")})${p.banned ? ", banned" : ""}`).join("\n")}${next ? "\nMore follow: send `cursor`." : ""}`
      : "No principal matches.",
  handler: async ({ limit, cursor, ...filter }, { read, call }) => {
    const { items, ...rest } = await read.identity.listPrincipals(filter, { limit, cursor }, call.now);
    return { items: items.map(principalListingView), ...rest };
  },
});
