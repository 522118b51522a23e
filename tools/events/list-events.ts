import * as z from "zod";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { listEvents } from "../../server/domain/events/list-events.ts";

export const listAccountEvents = defineAction({
  name: "system_events_list",
  title: "List events",
  description:
    "Lists what happened in this account, oldest first by position. `next` is always there: send it as `cursor` to go on from here, now or later. An event never appears before one you have seen.",
  permission: "system.events.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    types: z
      .array(z.string().max(100))
      .max(50)
      .optional()
      .describe("event types, see contracts/telemetry/events.v1.json"),
    subject: z.string().max(300).optional().describe("only about this, e.g. fleet/Template/web"),
  }),
  output: pageOf(
    z.strictObject({
      id: z.string(),
      type: z.string(),
      subject: z.string(),
      data: z.record(z.string(), z.unknown()),
      at: z.iso.datetime(),
      position: z.int(),
    }),
  ),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: [],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length
      ? `${items.map((e) => `- ${e.position} ${e.at} ${e.type} ${e.subject}`).join("\n")}\nGo on from here: cursor ${next}`
      : "No event matches.",
  handler: ({ limit, cursor, ...filter }, { read }) => listEvents(read.events, filter, { limit, cursor }),
});
