import type { IncomingMessage } from "node:http";
import type { Exchange } from "./exchange.ts";

const METHODS = "GET, POST, DELETE";
const SENT = [
  "accept",
  "authorization",
  "content-type",
  "countersign-run-id",
  "idempotency-key",
  "last-event-id",
  "mcp-method",
  "mcp-name",
  "mcp-protocol-version",
  "mcp-session-id",
  "traceparent",
].join(", ");
const READ = "mcp-session-id, retry-after, www-authenticate, x-request-id";

/**
 * Lets a page read its answers (Fetch standard, CORS protocol). Its origin was checked before: one that this hub does not
 * answer never comes here. Credentials of the browser stay out; pages send a bearer token like everybody else.
 */
export function allowOrigin({ request, response }: Exchange): void {
  if (request.headers.origin === undefined) return;
  response.setHeader("access-control-allow-origin", request.headers.origin);
  response.setHeader("access-control-expose-headers", READ);
  response.setHeader("vary", "Origin");
}

export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
}

export function answerPreflight({ response }: Exchange): void {
  response
    .writeHead(204, {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": SENT,
      "access-control-max-age": "600",
    })
    .end();
}
