import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import { diffObject } from "./diff-object.ts";
import type { FleetReader, FleetRef, FleetWriter } from "./fleet-store.ts";
import { refText } from "./references.ts";

export interface DeleteInput extends FleetRef {
  readonly expectedVersion: number;
}

/** Deletes one object. Throws NOT_FOUND, VERSION_CONFLICT, IN_USE with the names of what refers to it. */
export async function deleteObject(
  tx: { fleet: FleetReader & FleetWriter; events: EventWriter },
  input: DeleteInput,
  by: string,
): Promise<{ deleted: LiveFleetObject }> {
  const live = await deletable(tx.fleet, input, await tx.fleet.lock(input));
  await tx.fleet.remove(input);
  await tx.events.emit({
    type: "fleet.object_deleted",
    subject: `fleet/${refText(input)}`,
    data: { version: live.version, by },
  });
  return { deleted: live };
}

export async function previewDelete(fleet: FleetReader, input: DeleteInput, asker: string): Promise<Preview> {
  const live = await deletable(fleet, input, await fleet.get(input));
  return { headline: `${asker} asks to DELETE ${refText(input)}`, changes: diffObject(live, undefined) };
}

async function deletable(
  fleet: FleetReader,
  input: DeleteInput,
  live: LiveFleetObject | undefined,
): Promise<LiveFleetObject> {
  if (!live) throw new HubError("NOT_FOUND", `There is no ${refText(input)}.`, { path: "name" });
  if (live.version !== input.expectedVersion)
    throw new HubError(
      "VERSION_CONFLICT",
      `${refText(input)} is in version ${live.version}, not ${input.expectedVersion}: somebody changed it.`,
      { path: "expectedVersion", details: { found: live.version } },
    );
  const referrers = await fleet.referrers(input);
  if (referrers.length)
    throw new HubError(
      "IN_USE",
      `${refText(input)} is referred to by ${referrers.slice(0, 5).map(refText).join(", ")}${referrers.length > 5 ? " and others" : ""}; change these first.`,
      { path: "name" },
    );
  return live;
}
