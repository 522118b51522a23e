import * as z from "zod";
import { personKeyShape } from "../../contracts/identity/person-key.ts";
import { identityId } from "../../contracts/identity/principal.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { keyView } from "../../server/domain/identity/views.ts";

export const listKeys = defineAction({
  name: "system_identity_list_keys",
  title: "List signing keys",
  description:
    "Lists the keys that people sign decisions with, those that expired or were revoked too. With `withPublicKey` it tells the public half, by which anybody can verify a decision's envelope. Everybody may list their own person's.",
  permission: "system.identity.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    personId: identityId.optional().describe("of this person alone"),
    live: z.boolean().optional().describe("true: those that sign; false: those that expired or were revoked"),
    withPublicKey: z.boolean().default(false),
  }),
  output: pageOf(personKeyShape),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["personId"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map(({ person, id, state, expiresAt }) => `- ${person.name}: ${id}, ${state}${state === "live" && expiresAt ? ` until ${expiresAt}` : ""}`).join("\n")}${next ? "\nMore follow: send `cursor`." : ""}`
      : "No key matches.",
  handler: async ({ limit, cursor, withPublicKey, ...filter }, { read, call }) => {
    const { items, ...rest } = await read.identity.listKeys(filter, { limit, cursor }, call.now);
    return { items: items.map((key) => keyView(key, call.now, withPublicKey)), ...rest };
  },
});
