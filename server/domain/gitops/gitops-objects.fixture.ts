import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { refText } from "../fleet/references.ts";
import type { DeclaredObject } from "./desired-state.ts";

const BORN = "2026-01-01T00:00:00.000Z";

/** An object as the hub holds it. */
export function liveObject(object: DesiredFleetObject, more: Partial<LiveFleetObject> = {}): LiveFleetObject {
  const times = { createdAt: BORN, updatedAt: BORN, updatedBy: "somebody" };
  return { ...object, spec: { ...object.spec }, version: 1, owner: "fleet", ...times, ...more };
}

export const liveSet = (...objects: LiveFleetObject[]): Map<string, LiveFleetObject> =>
  new Map(objects.map((object) => [refText(object), object]));

export const declared = (object: DesiredFleetObject, line = 1): DeclaredObject => ({
  object,
  file: "fleet.yaml",
  line,
  column: 3,
  path: `objects[${line}]`,
});
