import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { PreviewChange } from "../approvals/preview.ts";

type Stated = Pick<DesiredFleetObject, "labels" | "annotations" | "spec">;

/**
 * What differs between two states of an object, field by field, in the order of paths (`modules[2]` before
 * `modules[10]`): the same input gives the same lines.
 */
export function diffObject(before: Stated | LiveFleetObject | undefined, after: Stated | undefined): PreviewChange[] {
  const from = before ? flatten(stated(before)) : new Map<string, string>();
  const to = after ? flatten(stated(after)) : new Map<string, string>();
  const fields = [...new Set([...from.keys(), ...to.keys()])].map((field) => ({ field, rank: rankOf(field) }));
  return fields
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .flatMap(({ field }) => {
      const old = from.get(field);
      const now = to.get(field);
      if (old === now) return [];
      return [{ field, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) }];
    });
}

const stated = ({ labels, annotations, spec }: Stated | LiveFleetObject) => ({ annotations, labels, spec });

/** Indexes by value. */
const rankOf = (field: string): string =>
  field.replace(/\[(\d+)\]/g, (_, index: string) => `[${index.padStart(9, "0")}]`);

/** `spec.modules[0]` -> value. An empty object or list has nothing to show. */
function flatten(root: unknown): Map<string, string> {
  const out = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) out.set(path, inWords(value));
    else if (Array.isArray(value)) value.forEach((item, i) => walk(item, `${path}[${i}]`));
    else for (const [key, item] of Object.entries(value)) walk(item, path ? `${path}.${key}` : key);
  };
  walk(root, "");
  return out;
}

const CAN_BE_JSON = /^[\t\n\r ]*(?:["[{\-\d]|true|false|null)/;

/** Text as it is, unless it is empty or could be taken for another value: the text "1" is shown in quotes, the number 1 without. */
function inWords(value: unknown): string {
  if (typeof value !== "string" || value === "") return JSON.stringify(value);
  // most texts can be told apart by how they begin, which costs a sixth of an attempt that fails
  if (!CAN_BE_JSON.test(value)) return value;
  try {
    JSON.parse(value);
  } catch {
    return value;
  }
  return JSON.stringify(value);
}
