import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { FleetReader, FleetRef } from "./fleet-store.ts";
import { refText } from "./references.ts";

/** Throws NOT_FOUND. */
export async function readObject(fleet: FleetReader, ref: FleetRef): Promise<LiveFleetObject> {
  const live = await fleet.get(ref);
  if (!live) throw new HubError("NOT_FOUND", `There is no ${refText(ref)}.`, { path: "name" });
  return live;
}

/**
 * What policies and approvals know of an object. The version names its life as well: an object deleted and made again
 * is another one.
 */
export const objectTarget = async (fleet: FleetReader, ref: FleetRef) => objectTargetOf(ref, await fleet.get(ref));

export function objectTargetOf(ref: FleetRef, live: LiveFleetObject | undefined) {
  return {
    type: "FleetObject" as const,
    id: refText(ref),
    version: live ? `${live.version}@${live.createdAt}` : "absent",
    attributes: {
      kind: ref.kind,
      name: ref.name,
      labels: live?.labels ?? {},
      ...(live?.owner && { owner: live.owner }),
    },
  };
}
