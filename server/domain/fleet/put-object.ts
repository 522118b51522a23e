import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import { type ChangedBy, changeFleet, type FleetTransaction } from "./change-fleet.ts";
import { checkSet } from "./check-set.ts";
import { diffObject } from "./diff-object.ts";
import { byRef, changeOf } from "./fleet-set.ts";
import type { FleetReader } from "./fleet-store.ts";
import { refText } from "./references.ts";

export interface PutInput {
  readonly object: DesiredFleetObject;
  /** The version the caller saw; absent means that the object must be new. */
  readonly expectedVersion?: number | undefined;
}

export interface PutResult {
  readonly object: LiveFleetObject;
  readonly change: "created" | "updated" | "unchanged";
}

/**
 * Creates or replaces one object. Throws VERSION_CONFLICT, ALREADY_EXISTS, REFERENCE_MISSING, CONFLICT (a circle),
 * INPUT_INVALID (parameters that the template does not take), IN_USE (an assignment would no longer fit).
 */
export async function putObject(
  tx: FleetTransaction,
  { object, expectedVersion }: PutInput,
  by: ChangedBy,
): Promise<PutResult> {
  const [changed] = await changeFleet(tx, { puts: [object], deletes: [] }, by, (live) =>
    refuseOtherVersion(object, expectedVersion, live.get(refText(object))),
  );
  if (!changed || changed.change === "deleted") throw new Error("cannot happen: what was put is there");
  return { object: changed.object, change: changed.change };
}

/** What approvers see; refuses what could never succeed. */
export async function previewPut(
  fleet: FleetReader,
  { object, expectedVersion }: PutInput,
  asker: string,
): Promise<Preview> {
  const live = await fleet.get(object);
  refuseOtherVersion(object, expectedVersion, live);
  await checkSet(fleet, { puts: [object], deletes: [] }, byRef(live ? [live] : []));
  const verb = { created: "create", updated: "change", unchanged: "write again, unchanged," }[changeOf(live, object)];
  return { headline: `${asker} asks to ${verb} ${refText(object)}`, changes: diffObject(live, object) };
}

function refuseOtherVersion(
  object: DesiredFleetObject,
  expected: number | undefined,
  live: LiveFleetObject | undefined,
): void {
  if (expected === live?.version) return;
  const name = refText(object);
  if (!live)
    throw new HubError(
      "VERSION_CONFLICT",
      `${name} does not exist (any more); leave out expectedVersion to create it.`,
      { path: "expectedVersion", details: { found: null } },
    );
  const message =
    expected === undefined
      ? `${name} exists in version ${live.version}; send expectedVersion ${live.version} to change it.`
      : `${name} is in version ${live.version}, not ${expected}: somebody changed it. Read it again, then decide.`;
  throw new HubError("VERSION_CONFLICT", message, { path: "expectedVersion", details: { found: live.version } });
}
