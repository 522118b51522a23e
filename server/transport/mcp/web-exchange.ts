import { once } from "node:events";
import type { Exchange } from "../exchange.ts";

/**
 * The request as the SDK wants it. It has no body: that was read, limited and parsed before, and handing the parsed value
 * on spares writing it out again.
 */
export function webRequest({ request, signal }: Exchange): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // the token has served its purpose at the door
    if (typeof value === "string" && name !== "authorization") headers.set(name, value);
  }
  return new Request("http://hub.invalid/mcp", { method: request.method ?? "GET", headers, signal });
}

/** Sends a response and answers with its text; that of a stream is empty. */
export async function sendResponse(response: Response, exchange: Exchange): Promise<string> {
  const headers = Object.fromEntries(response.headers);
  if (response.body !== null && headers["content-type"] === "text/event-stream") {
    await sendStream(response.body, headers, exchange);
    return "";
  }
  const text = await response.text();
  exchange.answerText(response.status, text, headers);
  return text;
}

async function sendStream(
  body: ReadableStream<Uint8Array>,
  headers: Record<string, string>,
  exchange: Exchange,
): Promise<void> {
  const { response, signal } = exchange;
  response.writeHead(200, headers).flushHeaders();
  for await (const chunk of body) {
    if (signal.aborted) break;
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}
