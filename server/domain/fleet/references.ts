import type { DesiredFleetObject, FleetKind, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { FleetReader, FleetRef } from "./fleet-store.ts";

export interface Reference extends FleetRef {
  /** Where in the input it is named. */
  readonly path: string;
}

export const refText = ({ kind, name }: FleetRef): string => `${kind}/${name}`;

/** What an object refers to, and where it says so. */
export function referencesOf(object: DesiredFleetObject): Reference[] {
  const named = (kind: FleetKind, names: readonly string[], field: string) =>
    names.map((name, i) => ({ kind, name, path: `object.spec.${field}[${i}]` }));
  switch (object.kind) {
    case "Template":
      return named("Module", object.spec.modules, "modules");
    case "Module":
      return named("Module", object.spec.dependsOn, "dependsOn");
    case "Assignment":
      return [
        { kind: "Template", name: object.spec.template, path: "object.spec.template" },
        { kind: "ProviderConfig", name: object.spec.provider, path: "object.spec.provider" },
      ];
    case "ProviderConfig":
      return [];
  }
}

/**
 * What the object refers to, as it stands. Throws REFERENCE_MISSING for the first reference to nothing, CONFLICT where
 * modules would depend on themselves.
 */
export async function checkReferences(
  fleet: FleetReader,
  object: DesiredFleetObject,
): Promise<readonly LiveFleetObject[]> {
  const references = referencesOf(object);
  if (references.length === 0) return [];
  // a module that depends on itself is a circle, whether or not it exists already
  if (object.kind === "Module") refuseCircle(object.name, object.spec.dependsOn, []);
  const found = await fleet.find(references);
  const names = new Set(found.map(refText));
  for (const reference of references) {
    if (names.has(refText(reference))) continue;
    throw new HubError("REFERENCE_MISSING", `${reference.path}: there is no ${refText(reference)}; make it first.`, {
      path: reference.path,
    });
  }
  if (object.kind === "Module") {
    const { dependsOn } = object.spec;
    refuseCircle(object.name, dependsOn, await fleet.dependencies(dependsOn));
  }
  return found;
}

/** Follows every dependency once; what is named first is followed first, so that one fleet gives one answer. */
function refuseCircle(
  name: string,
  dependsOn: readonly string[],
  known: readonly { readonly from: string; readonly to: string }[],
): void {
  const needs = Map.groupBy(known, ({ from }) => from);
  const cameFrom = new Map<string, string>();
  const open = dependsOn.map((to) => ({ from: name, to }));
  for (const { from, to } of open) {
    if (cameFrom.has(to)) continue;
    cameFrom.set(to, from);
    if (to === name) throw circle(name, cameFrom);
    open.push(...(needs.get(to) ?? []));
  }
}

function circle(name: string, cameFrom: ReadonlyMap<string, string>): HubError {
  const way = [name];
  for (let at = cameFrom.get(name); at !== undefined && at !== name; at = cameFrom.get(at)) way.unshift(at);
  const words = [name, ...way].join(" -> ");
  return new HubError("CONFLICT", `object.spec.dependsOn: a circle, ${words}`, { path: "object.spec.dependsOn" });
}
