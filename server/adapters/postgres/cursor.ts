import { HubError } from "../../errors.ts";

/** A cursor is the sort key of the last row, opaque to callers. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString("base64url");

/** Throws CURSOR_INVALID unless `cursor` holds the key parts that this list sorts by. */
export function decodeCursor(
  cursor: string | undefined,
  types: readonly ("string" | "number" | "uuid")[],
): (string | number)[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(key) && key.length === types.length && key.every((part, i) => fits(part, types[i]))) return key;
  } catch {
    // not even JSON: the same answer
  }
  throw new HubError("CURSOR_INVALID", "This cursor is not one of this list's; start again without it.", {
    path: "cursor",
  });
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Whether the database takes it for a value of this type. */
function fits(part: unknown, type: "string" | "number" | "uuid" | undefined): boolean {
  if (type === "number") return Number.isSafeInteger(part);
  return typeof part === "string" && (type === "uuid" ? UUID.test(part) : !part.includes("\0"));
}
