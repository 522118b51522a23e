import type { IncomingMessage } from "node:http";
import { HubError } from "../errors.ts";
import { readBytes, textOf } from "./json-body.ts";

/**
 * Reads a form's body of at most `limit` bytes, as browsers send it without files. Throws INPUT_TOO_LARGE without reading
 * on, MEDIA_TYPE_UNSUPPORTED, INPUT_INVALID, CANCELLED where the client went away.
 */
export async function readForm(request: IncomingMessage, limit: number): Promise<URLSearchParams> {
  const { "content-type": type, "content-encoding": encoding } = request.headers;
  const bytes = await readBytes(request, limit);
  const isForm = /^application\/x-www-form-urlencoded *(?:;|$)/i.test(type ?? "");
  if (!isForm || (encoding !== undefined && encoding !== "identity"))
    throw new HubError("MEDIA_TYPE_UNSUPPORTED", "The body has to be of the type application/x-www-form-urlencoded.");
  return new URLSearchParams(textOf(bytes));
}
