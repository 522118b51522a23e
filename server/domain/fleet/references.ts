import type { DesiredFleetObject, FleetKind } from "../../../contracts/fleet/object.ts";
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

/** Throws REFERENCE_MISSING for the first reference to nothing, CONFLICT where modules would depend on themselves. */
export async function checkReferences(fleet: FleetReader, object: DesiredFleetObject): Promise<void> {
  const references = referencesOf(object);
  const found = new Set((await fleet.existing(references)).map(refText));
  for (const reference of references) {
    const own = object.kind === "Module" && reference.name === object.name;
    if (!own && !found.has(refText(reference)))
      throw new HubError("REFERENCE_MISSING", `${reference.path}: there is no ${refText(reference)}; make it first.`, {
        path: reference.path,
      });
  }
  if (object.kind === "Module") await refuseCircle(fleet, object.name, object.spec.dependsOn);
}

async function refuseCircle(fleet: FleetReader, name: string, dependsOn: readonly string[]): Promise<void> {
  const open = dependsOn.map((next) => [name, next]);
  const seen = new Set<string>();
  for (let way = open.pop(); way; way = open.pop()) {
    const at = way.at(-1) ?? name;
    if (at === name)
      throw new HubError("CONFLICT", `object.spec.dependsOn: a circle, ${way.join(" -> ")}`, {
        path: "object.spec.dependsOn",
      });
    if (seen.has(at)) continue;
    seen.add(at);
    const next = await fleet.get({ kind: "Module", name: at });
    for (const on of (next?.spec["dependsOn"] as string[] | undefined) ?? []) open.push([...way, on]);
  }
}
