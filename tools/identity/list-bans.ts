import * as z from "zod";
import { banShape, principalId } from "../../contracts/identity/principal.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { banView } from "../../server/domain/identity/views.ts";

export const listBans = defineAction({
  name: "system_identity_list_bans",
  title: "List bans",
  description: "Lists bans, newest first, with reason, time and who banned; those that were lifted or ended as well.",
  permission: "system.identity.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    principalId: principalId.optional(),
    inForce: z.boolean().optional().describe("true: those in force; false: those that were lifted or ended"),
  }),
  output: pageOf(banShape),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map((b) => `- ${b.principal.kind} "${b.principal.name}" since ${b.bannedAt}${b.inForce ? "" : " (over)"}: ${b.reason}`).join("\n")}${next ? "\nMore follow: send `cursor`." : ""}`
      : "No ban matches.",
  handler: async ({ limit, cursor, ...filter }, { read, call }) => {
    const { items, ...rest } = await read.identity.listBans(filter, { limit, cursor }, call.now);
    return { items: items.map(banView), ...rest };
  },
});
