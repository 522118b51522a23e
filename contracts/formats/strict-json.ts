import { HubError } from "../../server/errors.ts";
import { type CanonicalOptions, type Json, MAX_DEPTH } from "./canonical-json.ts";
import { type JsonFault, locateFault } from "./json-fault.ts";
import { formatJsonPath } from "./json-path.ts";

/**
 * Parses JSON (RFC 8259) that every reader understands alike (I-JSON, RFC 7493): refuses two members of one name, lone
 * surrogates, numbers too large for a double and, with `integersOnly`, all that are no safe integers; further the
 * character NUL, which Postgres cannot keep, members named `__proto__`, and nesting beyond MAX_DEPTH. `constructor` and
 * the like stay legal names: nothing of ours merges objects member by member.
 *
 * Throws INPUT_INVALID with the path of the fault and, in `details.offset`, its place in the text, counted in UTF-16 code
 * units. The message never quotes the text, which may hold a secret.
 */
export function parseStrictJson(text: string, options: CanonicalOptions = {}): Json {
  const shape = measure(text);
  // before JSON.parse, so that a million brackets cost one look at each and no memory
  if (shape.depth > MAX_DEPTH) throw refusal(text, options);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // not kept as the cause: the engine's message quotes the text
    throw refusal(text, options);
  }
  const names = countNames(value, options.integersOnly ?? false);
  if (names !== shape.colons) throw refusal(text, options);
  return value;
}

/** Nesting and the number of colons outside of strings, right for every valid text and harmless on any other. */
function measure(text: string): { depth: number; colons: number } {
  let depth = 0;
  let deepest = 0;
  let colons = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x3a: // :
        colons++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        if (depth > deepest) deepest = depth;
        if (deepest > MAX_DEPTH) return { depth: deepest, colons };
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
  return { depth: deepest, colons };
}

/** The index of the quote that closes the string opened at `open`, or the length of the text. */
function endOfString(text: string, open: number): number {
  for (let end = text.indexOf('"', open + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/**
 * The number of members in a parsed value. Of two members with one name the parser keeps the last, so that fewer are
 * counted here than the text has colons. -1 where anything in the value is refused.
 */
function countNames(value: Json, integersOnly: boolean): number {
  switch (typeof value) {
    case "string":
      return isAcceptable(value) ? 0 : -1;
    case "number":
      return (integersOnly ? Number.isSafeInteger(value) : Number.isFinite(value)) ? 0 : -1;
    case "object": {
      if (value === null) return 0;
      let count = 0;
      if (Array.isArray(value)) {
        for (const item of value) {
          const inside = countNames(item, integersOnly);
          if (inside < 0) return -1;
          count += inside;
        }
        return count;
      }
      for (const [name, member] of Object.entries(value)) {
        const inside = name === "__proto__" || !isAcceptable(name) ? -1 : countNames(member, integersOnly);
        if (inside < 0) return -1;
        count += 1 + inside;
      }
      return count;
    }
    default:
      return 0;
  }
}

function isAcceptable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function refusal(text: string, options: CanonicalOptions): HubError {
  const fault: JsonFault | undefined = locateFault(text, options);
  if (fault === undefined) throw new Error("cannot happen: a refused JSON text has no fault");
  const path = formatJsonPath(fault.path);
  const where = path === "" ? `at offset ${fault.offset}` : `at ${path} (offset ${fault.offset})`;
  return new HubError("INPUT_INVALID", `The JSON text is refused ${where}: ${fault.reason}.`, {
    path,
    details: { offset: fault.offset },
  });
}
