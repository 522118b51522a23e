import type { IncomingHttpHeaders } from "node:http";
import { HubError } from "../../errors.ts";

const BASE64 = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * What is wrong with the headers `Mcp-Param-*` of a call (SEP-2243): those before the hub decide by them, so that they say
 * what the message says. An argument that is absent or null has no header; one that is there needs it.
 * @param mirrored the arguments that a header repeats, by the name in the header
 */
export function mirrorFault(
  mirrored: Readonly<Record<string, string>>,
  args: Readonly<Record<string, unknown>>,
  headers: IncomingHttpHeaders,
): HubError | undefined {
  for (const [name, argument] of Object.entries(mirrored)) {
    const value = args[argument];
    if (value === undefined || value === null) continue;
    const header = `mcp-param-${name.toLowerCase()}`;
    if (!repeats(headers[header], value))
      return new HubError("INPUT_INVALID", `The header ${header} does not say what the argument ${argument} says.`, {
        path: `headers.${header}`,
      });
  }
  return undefined;
}

function repeats(sent: string | string[] | undefined, value: unknown): boolean {
  const said = typeof sent === "string" ? decoded(sent) : undefined;
  if (said === undefined) return false;
  if (typeof value === "number") return DECIMAL.test(said) && Number(said) === value;
  return said === String(value);
}

/** Undefined for what says that it is Base64 and is not, or is no UTF-8. Without `=?base64?...?=` it is what it is. */
function decoded(sent: string): string | undefined {
  if (!sent.startsWith("=?base64?") || !sent.endsWith("?=")) return sent;
  const [, base64] = BASE64.exec(sent) ?? [];
  if (base64 === undefined) return undefined;
  try {
    return UTF8.decode(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}
