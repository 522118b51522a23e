import type { IncomingMessage } from "node:http";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import { parseStrictJson } from "../../contracts/formats/strict-json.ts";
import { HubError } from "../errors.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a body of at most `limit` bytes and parses it, once and strictly. An empty one is undefined.
 * Throws INPUT_TOO_LARGE without reading on, MEDIA_TYPE_UNSUPPORTED, INPUT_INVALID, CANCELLED where the client went away.
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<Json | undefined> {
  const { "content-type": type, "content-encoding": encoding } = request.headers;
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return undefined;
  if (!/^application\/json *(?:;|$)/i.test(type ?? ""))
    throw new HubError("MEDIA_TYPE_UNSUPPORTED", "The body has to be of the type application/json.");
  if (encoding !== undefined && encoding !== "identity")
    throw new HubError("MEDIA_TYPE_UNSUPPORTED", "Encoded bodies are not read.");
  return parseStrictJson(textOf(bytes));
}

/** The body as it came. Throws INPUT_TOO_LARGE without reading on, CANCELLED where the client went away. */
export function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const tooLarge = () =>
    reject(new HubError("INPUT_TOO_LARGE", `The body has more than ${limit} bytes.`, { details: { limit } }));
  if (Number(request.headers["content-length"] ?? 0) > limit) {
    tooLarge();
    return promise;
  }
  const gone = () => reject(new HubError("CANCELLED", "The client went away before it had sent its request."));
  if (request.destroyed) gone();
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length <= limit) return;
    request.pause().removeAllListeners("data");
    tooLarge();
  });
  request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
  request.once("close", () => {
    if (!request.complete) gone();
  });
  // the cause is in "close" too; without a listener it would end the process
  request.once("error", () => {});
  return promise;
}

/** Throws INPUT_INVALID. */
export function textOf(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new HubError("INPUT_INVALID", "The body is not UTF-8.", { path: "" });
  }
}
