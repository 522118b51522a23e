/** Paths into an answer as runbooks write them: `run.status`, `items[0].id`, `items.length`, `findings[check=root key].state`. */

const PART = /(?:^|\.)([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\[([A-Za-z_]\w*)=([^\]]{1,100})\]/y;
const LENGTH = "length";

/** The first item of a list whose member is written so. */
interface ItemWith {
  readonly member: string;
  readonly value: string;
}
type Part = string | number | ItemWith;
export type PathParts = readonly Part[];

/** Undefined for what is no path. */
export function parsePath(text: string): PathParts | undefined {
  if (text.startsWith(".")) return undefined;
  const parts: Part[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text);
    if (!found) return undefined;
    const [, name, index, member, value] = found;
    if (name !== undefined) parts.push(name);
    else parts.push(member === undefined ? Number(index) : { member, value: value as string });
  }
  return parts.length === 0 ? undefined : parts;
}

/** The value there; undefined where there is none. A list also has its `length`. */
export function valueAt(value: unknown, path: PathParts): unknown {
  let here = value;
  for (const part of path) {
    if (Array.isArray(here)) here = inList(here, part);
    else if (typeof part !== "object" && typeof here === "object" && here !== null && Object.hasOwn(here, part))
      here = (here as Record<string | number, unknown>)[part];
    else return undefined;
  }
  return here;
}

function inList(list: readonly unknown[], part: Part): unknown {
  if (typeof part === "object")
    return list.find((item) => String((item as Record<string, unknown> | null)?.[part.member]) === part.value);
  if (part === LENGTH) return list.length;
  return typeof part === "number" ? list[part] : undefined;
}

type Schema = Readonly<Record<string, unknown>>;

/** Whether values of this JSON Schema can have something there. What the schema leaves open can. */
export function schemaHas(root: unknown, path: PathParts): boolean {
  return hasAt(root, path, root);
}

function hasAt(schema: unknown, path: PathParts, root: unknown): boolean {
  if (schema === false) return false;
  if (path.length === 0 || typeof schema !== "object" || schema === null) return true;
  const { $ref, anyOf, oneOf, allOf, type, properties, items } = schema as Schema;
  if (typeof $ref === "string") return hasAt(valueAt(root, $ref.replace(/^#\/?/, "").split("/")), path, root);
  for (const branches of [anyOf, oneOf, allOf])
    if (Array.isArray(branches)) return branches.some((branch) => hasAt(branch, path, root));
  if (type === "array" || items !== undefined) return itemHas(schema as Schema, path, root);
  if (type === "object" || properties !== undefined) return memberHas(schema as Schema, path, root);
  return type === undefined;
}

function itemHas({ items, prefixItems }: Schema, [part, ...rest]: PathParts, root: unknown): boolean {
  if (part === LENGTH) return rest.length === 0;
  if (part === undefined || typeof part === "string") return false;
  if (typeof part === "object") return hasAt(items ?? true, [part.member], root) && hasAt(items ?? true, rest, root);
  return hasAt((Array.isArray(prefixItems) ? prefixItems[part] : undefined) ?? items ?? true, rest, root);
}

function memberHas({ properties, additionalProperties }: Schema, [part, ...rest]: PathParts, root: unknown): boolean {
  const own = (properties ?? {}) as Schema;
  if (typeof part === "object") return false;
  if (part !== undefined && Object.hasOwn(own, part)) return hasAt(own[part], rest, root);
  return hasAt(additionalProperties ?? true, rest, root);
}
