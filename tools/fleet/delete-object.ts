import * as z from "zod";
import { fleetKind, fleetName, liveFleetObject } from "../../contracts/fleet/object.ts";
import { defineAction } from "../../server/action/define-action.ts";
import { changedBy } from "../../server/domain/fleet/change-fleet.ts";
import { deleteObject, previewDelete } from "../../server/domain/fleet/delete-object.ts";
import { objectTarget } from "../../server/domain/fleet/read-object.ts";

export const deleteFleetObject = defineAction({
  name: "system_fleet_delete_object",
  title: "Delete a fleet object",
  description:
    "Deletes one fleet object in the version that you saw. Refused while another object refers to it. Usually waits for a person's approval.",
  permission: "system.fleet.delete",
  risk: { effect: "destructive", approval: "approve", loosens: false },
  input: z.strictObject({
    kind: fleetKind,
    name: fleetName,
    expectedVersion: z.int().min(1).describe("the version you saw"),
  }),
  output: z.strictObject({ deleted: liveFleetObject }),
  errors: ["NOT_FOUND", "VERSION_CONFLICT", "IN_USE"],
  channels: ["mcp", "http", "cli"],
  policyInput: ["kind", "name"],
  resource: ["FleetObject"],
  target: (input, { read }) => objectTarget(read.fleet, input),
  preview: (input, { read, call }) => previewDelete(read.fleet, input, call.caller.principal.name),
  secretOutput: false,
  timeLimitMs: 10_000,
  summary: ({ deleted }) => `${deleted.kind}/${deleted.name} deleted (it was version ${deleted.version}).`,
  handler: (input, { tx, call }) => deleteObject(tx, input, changedBy(call)),
});
