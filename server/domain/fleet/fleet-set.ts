import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import type { FleetRef } from "./fleet-store.ts";
import { refText } from "./references.ts";

/** What is to be so afterwards. No object stands in it twice. */
export interface FleetSet {
  readonly puts: readonly DesiredFleetObject[];
  /** Of the objects that are put; absent: whose they are stays. */
  readonly owner?: string;
  /** Those that are gone already are no fault here. */
  readonly deletes: readonly FleetRef[];
}

/** The objects of a set as they are, by `Kind/name`. */
export type LiveSet = ReadonlyMap<string, LiveFleetObject>;

export function changeOf(
  live: LiveFleetObject | undefined,
  object: DesiredFleetObject,
  owner = live?.owner,
): "created" | "updated" | "unchanged" {
  if (!live) return "created";
  return live.owner === owner && sameState(live, object) ? "unchanged" : "updated";
}

type Stated = Pick<DesiredFleetObject | LiveFleetObject, "spec" | "labels" | "annotations">;

/** The order of keys in maps does not count. */
export const sameState = (a: Stated, b: Stated): boolean => stateText(a) === stateText(b);

const stateText = ({ spec, labels, annotations }: Stated): string =>
  canonicalize([spec, labels, annotations] as unknown as Json);

export const byRef = (objects: readonly LiveFleetObject[]): Map<string, LiveFleetObject> =>
  new Map(objects.map((object) => [refText(object), object]));
