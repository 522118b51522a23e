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
 * Throws CONFLICT where modules would depend on themselves. Looks at each module once, however many are asked about; what
 * is named first is followed first, so that one fleet gives one answer.
 */
export function refuseCircles(names: readonly string[], needs: ReadonlyMap<string, readonly Dependency[]>): void {
  const done = new Set<string>();
  for (const name of names) {
    const way: { readonly name: string; next: number }[] = [{ name, next: 0 }];
    const open = new Set([name]);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const to = done.has(at.name) ? undefined : needs.get(at.name)?.[at.next++]?.to;
      if (to === undefined) {
        done.add(at.name);
        open.delete(at.name);
        way.pop();
      } else if (open.has(to)) {
        const names = way.map((step) => step.name);
        throw circle([...names.slice(names.indexOf(to)), to]);
      } else if (!done.has(to)) {
        open.add(to);
        way.push({ name: to, next: 0 });
      }
    }
  }
}

const circle = (way: readonly string[]): HubError =>
  new HubError("CONFLICT", `object.spec.dependsOn: a circle, ${way.join(" -> ")}`, { path: "object.spec.dependsOn" });
