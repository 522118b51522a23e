import type { DesiredFleetObject, FleetKind } from "../../../contracts/fleet/object.ts";
import { HubError } from "../../errors.ts";
import type { Dependency, FleetRef } from "./fleet-store.ts";

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

/** Throws REFERENCE_MISSING for the first reference to nothing. */
export function checkReferences(object: DesiredFleetObject, exists: (ref: FleetRef) => boolean): void {
  // a module that depends on itself is a circle, whether or not it exists already
  if (object.kind === "Module" && object.spec.dependsOn.includes(object.name)) throw circle([object.name, object.name]);
  const missing = referencesOf(object).find((reference) => !exists(reference));
  if (missing)
    throw new HubError("REFERENCE_MISSING", `${missing.path}: there is no ${refText(missing)}; make it first.`, {
      path: missing.path,
    });
}

/**
 * Throws CONFLICT where modules would depend on themselves. Follows every dependency once; what is named first is
 * followed first, so that one fleet gives one answer.
 */
export function refuseCircle(
  { name, spec }: Extract<DesiredFleetObject, { kind: "Module" }>,
  needs: ReadonlyMap<string, readonly Dependency[]>,
): void {
  const cameFrom = new Map<string, string>();
  const open: Dependency[] = spec.dependsOn.map((to) => ({ from: name, to }));
  for (const { from, to } of open) {
    if (cameFrom.has(to)) continue;
    cameFrom.set(to, from);
    if (to === name) throw circle(wayFrom(name, cameFrom));
    open.push(...(needs.get(to) ?? []));
  }
}

function wayFrom(name: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [name];
  for (let at = cameFrom.get(name); at !== undefined && at !== name; at = cameFrom.get(at)) way.unshift(at);
  return [name, ...way];
}

const circle = (way: readonly string[]): HubError =>
  new HubError("CONFLICT", `object.spec.dependsOn: a circle, ${way.join(" -> ")}`, { path: "object.spec.dependsOn" });
