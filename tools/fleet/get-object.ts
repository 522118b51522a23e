import * as z from "zod";
import { fleetKind, fleetName, liveFleetObject } from "../../contracts/fleet/object.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { objectTarget, readObject } from "../../server/domain/fleet/read-object.ts";

export const getFleetObject = defineAction({
  name: "system_fleet_get_object",
  title: "Read a fleet object",
  description: "Answers one fleet object with its version, owner and spec.",
  permission: "system.fleet.read",
  risk: { effect: "read", approval: "none", loosens: false },
  input: z.strictObject({ kind: fleetKind, name: fleetName }),
  output: z.strictObject({ object: liveFleetObject }),
  errors: ["NOT_FOUND"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["kind", "name"],
  resource: ["FleetObject"],
  target: (input, { read }) => objectTarget(read.fleet, input),
  secretOutput: false,
  timeLimitMs: 5_000,
  summary: ({ object }) =>
    `${object.kind}/${object.name}, version ${object.version}, last changed ${object.updatedAt}.`,
  links: ({ object: { owner } }) => (owner === null ? [] : [`gitops/repositories/${owner}`]),
  handler: async (input, { read }) => ({ object: await readObject(read.fleet, input) }),
});
