import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { PreviewChange } from "../approvals/preview.ts";

type Stated = Pick<DesiredFleetObject, "labels" | "annotations" | "spec">;

/** What differs between two states of an object, field by field, sorted by path: the same input gives the same lines. */
export function diffObject(before: Stated | LiveFleetObject | undefined, after: Stated | undefined): PreviewChange[] {
  const from = before ? flatten(stated(before)) : new Map<string, string>();
  const to = after ? flatten(stated(after)) : new Map<string, string>();
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((field) => {
    const old = from.get(field);
    const now = to.get(field);
    if (old === now) return [];
    return [{ field, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
  });
}

const stated = ({ labels, annotations, spec }: Stated | LiveFleetObject) => ({ annotations, labels, spec });

/** `spec.modules[0]` -> value; empty objects and lists stay visible as such. */
function flatten(root: unknown): Map<string, string> {
  const out = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null)
      return void out.set(path, typeof value === "string" ? value : JSON.stringify(value));
    if (Array.isArray(value)) return value.length ? value.forEach((item, i) => walk(item, `${path}[${i}]`)) : void 0;
    for (const [key, item] of Object.entries(value)) walk(item, path ? `${path}.${key}` : key);
  };
  walk(root, "");
  return out;
}
