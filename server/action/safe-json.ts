import { HubError } from "../errors.ts";

const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;
const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Refuses JSON that no action may ever see, before any schema reads it: prototype keys, lone surrogates (they have no
 * UTF-8 form), NUL (PostgreSQL text cannot hold it), numbers that JSON cannot say, and values nested or numbered
 * beyond what a person could have meant. Iterative: depth costs no stack. Throws INPUT_INVALID, INPUT_TOO_LARGE.
 */
export function refuseUnsafeJson(root: unknown): void {
  const stack: { value: unknown; path: string; depth: number }[] = [{ value: root, path: "", depth: 0 }];
  let seen = 0;
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value, path, depth } = next;
    if (++seen > MAX_VALUES)
      throw new HubError("INPUT_TOO_LARGE", `The arguments hold more than ${MAX_VALUES} values.`);
    if (depth > MAX_DEPTH)
      throw new HubError("INPUT_INVALID", `${path.slice(0, 80)}: nested deeper than ${MAX_DEPTH} levels`, {
        path: path.slice(0, 80),
      });
    if (typeof value === "string") refuseText(value, path);
    else if (typeof value === "number" && !Number.isFinite(value))
      throw new HubError("INPUT_INVALID", `${path}: not a JSON number`, { path });
    else if (Array.isArray(value))
      value.forEach((item, i) => stack.push({ value: item, path: `${path}[${i}]`, depth: depth + 1 }));
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const at = path ? `${path}.${key}` : key;
        if (FORBIDDEN_KEYS.has(key))
          throw new HubError("INPUT_INVALID", `${at}: this name is not accepted as a key`, { path: at });
        refuseText(key, at);
        stack.push({ value: item, path: at, depth: depth + 1 });
      }
    } else if (!["boolean", "number"].includes(typeof value) && value !== null)
      throw new HubError("INPUT_INVALID", `${path}: not a JSON value`, { path });
  }
}

function refuseText(text: string, path: string): void {
  if (!text.isWellFormed())
    throw new HubError("INPUT_INVALID", `${path}: holds half of a surrogate pair, which is no character`, { path });
  if (text.includes("\0")) throw new HubError("INPUT_INVALID", `${path}: holds a NUL character`, { path });
}
