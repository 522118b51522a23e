import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { type ChangedBy, changeFleet, type FleetTransaction } from "./change-fleet.ts";
import { checkSet } from "./check-set.ts";
import { diffObject } from "./diff-object.ts";
import { byRef } from "./fleet-set.ts";
import type { FleetReader, FleetRef } from "./fleet-store.ts";
import { refText } from "./references.ts";

export interface DeleteInput extends FleetRef {
  readonly expectedVersion: number;
}

/** Deletes one object. Throws NOT_FOUND, VERSION_CONFLICT, IN_USE with the names of what refers to it. */
export async function deleteObject(
  tx: FleetTransaction,
  input: DeleteInput,
  by: ChangedBy,
): Promise<{ deleted: LiveFleetObject }> {
  const [changed] = await changeFleet(
    tx,
    { puts: [], deletes: [input] },
    by,
    (live) => void asExpected(input, live.get(refText(input))),
  );
  if (!changed) throw new Error("cannot happen: what was locked is deleted");
  return { deleted: changed.object };
}

export async function previewDelete(fleet: FleetReader, input: DeleteInput, asker: string): Promise<Preview> {
  const live = asExpected(input, await fleet.get(input));
  await checkSet(fleet, { puts: [], deletes: [input] }, byRef([live]));
  return { headline: `${asker} asks to DELETE ${refText(input)}`, changes: diffObject(live, undefined) };
}

function asExpected(input: DeleteInput, live: LiveFleetObject | undefined): LiveFleetObject {
  if (!live) throw new HubError("NOT_FOUND", `There is no ${refText(input)}.`, { path: "name" });
  if (live.version === input.expectedVersion) return live;
  throw new HubError(
    "VERSION_CONFLICT",
    `${refText(input)} is in version ${live.version}, not ${input.expectedVersion}: somebody changed it.`,
    { path: "expectedVersion", details: { found: live.version } },
  );
}
