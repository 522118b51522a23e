import * as z from "zod";
import { desiredFleetObject, fleetKind, fleetName, labels, liveFleetObject } from "../../contracts/fleet/object.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { changedBy } from "../../server/domain/fleet/change-fleet.ts";
import { previewPut, putObject } from "../../server/domain/fleet/put-object.ts";
import { objectTarget } from "../../server/domain/fleet/read-object.ts";

export const putFleetObject = defineAction({
  name: "system_fleet_put_object",
  title: "Create or change a fleet object",
  description:
    "Creates a Template, Module, Assignment or ProviderConfig, or replaces one. To change an object, read it first and send its version as expectedVersion; without expectedVersion the object must be new. References are checked. Usually waits for a person's approval.",
  permission: "system.fleet.write",
  risk: { effect: "write", approval: "approve", loosens: true },
  input: z.strictObject({
    object: desiredFleetObject,
    expectedVersion: z.int().min(1).optional().describe("the version you saw; leave it out to create"),
  }),
  output: z.strictObject({ change: z.enum(["created", "updated", "unchanged"]), object: liveFleetObject }),
  errors: ["VERSION_CONFLICT", "ALREADY_EXISTS", "REFERENCE_MISSING", "IN_USE", "CONFLICT"],
  channels: ["mcp", "http", "cli"],
  policyInput: z.strictObject({ object: z.strictObject({ kind: fleetKind, name: fleetName, labels }) }),
  resource: ["FleetObject"],
  target: ({ object }, { read }) => objectTarget(read.fleet, object),
  preview: (input, { read, call }) => previewPut(read.fleet, input, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ change, object }) => `${object.kind}/${object.name} ${change}, now version ${object.version}.`,
  links: ({ object }) => [`fleet/${object.kind}/${object.name}`],
  handler: (input, { tx, call }) => putObject(tx, input, changedBy(call)),
});
