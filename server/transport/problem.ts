import type { HubError } from "../errors.ts";
import { bearerToken, challenge } from "./bearer-token.ts";
import type { Exchange } from "./exchange.ts";
import { headersOf, statusOf } from "./http-status.ts";

/** Answers with an error as `application/problem+json` (RFC 9457), with our `code`, `path` and `details` beside. */
export function answerProblem(exchange: Exchange, error: HubError, status = statusOf(error)): void {
  exchange.answer(
    status,
    {
      type: `urn:countersign:error:${error.code}`,
      title: error.code.toLowerCase().replaceAll("_", " "),
      status,
      detail: error.message,
      instance: `urn:uuid:${exchange.id}`,
      code: error.code,
      ...(error.path !== undefined && { path: error.path }),
      ...(error.details !== undefined && { details: error.details }),
      ...(error.receipt !== undefined && { receipt: error.receipt }),
    },
    { "content-type": "application/problem+json", ...errorHeaders(exchange, error, status) },
  );
}

export function errorHeaders(exchange: Exchange, error: HubError, status: number): Readonly<Record<string, string>> {
  if (status === 405) return { allow: String(error.details?.allow) };
  if (status !== 401) return headersOf(status, error);
  return { "www-authenticate": challenge(error, bearerToken(exchange.request.headers.authorization) !== undefined) };
}
