import {
  type ClientCapabilities,
  MissingRequiredClientCapabilityError,
  ProtocolError,
} from "@modelcontextprotocol/server";
import { type ErrorCode, HubError, toHubError } from "../../errors.ts";
import type { Exchange } from "../exchange.ts";
import { statusOf } from "../http-status.ts";
import { errorHeaders } from "../problem.ts";

/** JSON-RPC 2.0, section 5.1, and what MCP adds. No other file knows these numbers. */
const PARSE_ERROR = -32700;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
const SERVER_ERROR = -32000;
const SESSION_NOT_FOUND = -32001;
const HEADER_MISMATCH = -32020;

const NUMBER: Partial<Record<ErrorCode, number>> = {
  INPUT_INVALID: PARSE_ERROR,
  ACTION_UNKNOWN: INVALID_PARAMS,
  INTERNAL: INTERNAL_ERROR,
  NOT_FOUND: SESSION_NOT_FOUND,
};

/** What programs find in an error: our stable code beside the protocol's number. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function factsOf(error: HubError): ErrorFacts {
  const { code, message, path, details } = error;
  return { code, message, ...(path !== undefined && { path }), ...(details !== undefined && { details }) };
}

/** A call that is no call: told by the protocol's own error, not as the result of a tool. */
export function malformedCall(error: HubError): ProtocolError {
  return new ProtocolError(INVALID_PARAMS, error.message, factsOf(error));
}

/** What the caller could have known: its cursor, a name, a place. */
const ITS_OWN_FAULT: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "INPUT_INVALID", "CURSOR_INVALID"]);

/** For a method that is no call and failed: what is not ours to tell stays in the log. */
export function failedMethod(thrown: unknown): { readonly error: HubError; readonly told: ProtocolError } {
  const error = toHubError(thrown);
  return { error, told: new ProtocolError(numberOf(error), error.message, factsOf(error)) };
}

/** A failure as it stands inside of a result, in the form of JSON-RPC. */
export function factsAsError(error: HubError): { code: number; message: string; data: ErrorFacts } {
  return { code: numberOf(error), message: error.message, data: factsOf(error) };
}

function numberOf({ code }: HubError): number {
  if (code === "INTERNAL") return INTERNAL_ERROR;
  return ITS_OWN_FAULT.has(code) ? INVALID_PARAMS : SERVER_ERROR;
}

/** The client would have to declare these, and has not: nothing is asked of a client that it cannot do. */
export function missingCapabilities(requiredCapabilities: ClientCapabilities): ProtocolError {
  return new MissingRequiredClientCapabilityError({ requiredCapabilities });
}

/**
 * Answers a request that did not become a call (no token, no such session, unreadable, too much at once) with an HTTP
 * status and a JSON-RPC error, whose id is null unless the request could be read.
 */
export function answerFault(exchange: Exchange, thrown: unknown, id: string | number | null = null): HubError {
  const error = toHubError(thrown);
  const status = statusOf(error);
  const { message, ...data } = factsOf(error);
  exchange.answer(
    status,
    { jsonrpc: "2.0", id, error: { code: NUMBER[error.code] ?? SERVER_ERROR, message, data } },
    errorHeaders(exchange, error, status),
  );
  return error;
}

/** Refuses what the protocol calls invalid parameters, before the SDK would, so that our code and record go with it. */
export function answerMalformedCall(exchange: Exchange, error: HubError, id: string | number): void {
  const { message, ...data } = factsOf(error);
  exchange.answer(200, { jsonrpc: "2.0", id, error: { code: INVALID_PARAMS, message, data } });
}

/** A header that contradicts the message (MCP 2026-07-28, Streamable HTTP). */
export function answerHeaderMismatch(exchange: Exchange, error: HubError, id: unknown): void {
  const { message, ...data } = factsOf(error);
  exchange.answer(400, { jsonrpc: "2.0", id, error: { code: HEADER_MISMATCH, message, data } });
}

/** What is wrong with a `tools/call` that no gate could make sense of; undefined for every other message. */
export function faultOfCall(params: unknown): HubError | undefined {
  const { name, arguments: given } =
    params instanceof Object ? (params as { name?: unknown; arguments?: unknown }) : {};
  if (typeof name !== "string" || name === "")
    return new HubError("INPUT_INVALID", "A call names its tool.", { path: "params.name" });
  if (given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given)))
    return new HubError("INPUT_INVALID", "The arguments of a call are an object.", { path: "params.arguments" });
  return undefined;
}
