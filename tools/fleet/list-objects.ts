import * as z from "zod";
import { fleetKind, type LiveFleetObject, labels, liveFleetObject } from "../../contracts/fleet/object.ts";
import { page, pageOf } from "../../contracts/page.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { shortTable } from "../../server/action/short-table.ts";

const COLUMNS = {
  Object: ({ kind, name }: LiveFleetObject) => `${kind}/${name}`,
  Version: ({ version }: LiveFleetObject) => version,
  "Declared by": ({ owner }: LiveFleetObject) => owner,
  Changed: ({ updatedAt }: LiveFleetObject) => updatedAt,
};

export const listFleetObjects = defineAction({
  name: "system_fleet_list_objects",
  title: "List fleet objects",
  description:
    "Lists fleet objects by kind, then name. Filter by kind, by labels (all must match) or by owning repository.",
  permission: "system.fleet.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({
    ...page,
    kind: fleetKind.optional(),
    labels: labels.optional(),
    owner: z.string().max(200).optional(),
  }),
  output: pageOf(liveFleetObject),
  errors: ["CURSOR_INVALID"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["kind"],
  resource: ["Account"],
  target: "account",
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ items, next }) =>
    items.length === 0 ? "No fleet object matches." : shortTable(COLUMNS, items, next !== undefined),
  links: ({ items }) => items.map(({ kind, name }) => `fleet/${kind}/${name}`),
  handler: ({ limit, cursor, ...filter }, { read }) => read.fleet.list(filter, { limit, cursor }),
});
