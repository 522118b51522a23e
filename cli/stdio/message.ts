/** A JSON-RPC message as far as a bridge has to understand it; everything else passes as it is. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export type RequestId = string | number;

const VERSION = "io.modelcontextprotocol/protocolVersion";

/** The revision that a message names for itself: those since 2026-07-28 do so in each, the older ones never. */
export function revisionOf({ params }: Message): string | undefined {
  const meta = params?._meta;
  const version = meta instanceof Object ? (meta as Record<string, unknown>)[VERSION] : undefined;
  return typeof version === "string" ? version : undefined;
}

/** Ids that want an answer: of a request, or of the requests in a batch. */
export function askedBy(messages: readonly Message[]): RequestId[] {
  return messages.flatMap(({ id, method }) => (method !== undefined && isId(id) ? [id] : []));
}

/** The id that an answer is for; undefined for everything that is no answer. */
export function answeredBy({ id, method }: Message): RequestId | undefined {
  return method === undefined && isId(id) ? id : undefined;
}

/** The request that a notification calls off. */
export function calledOffBy({ method, params }: Message): RequestId | undefined {
  return method === "notifications/cancelled" && isId(params?.requestId) ? params.requestId : undefined;
}

function isId(id: unknown): id is RequestId {
  return typeof id === "string" || typeof id === "number";
}

/** Headers that repeat the body (MCP 2026-07-28, Streamable HTTP), so that what stands between can route by them. */
export function headersOf(message: Message, revision: string): Record<string, string> {
  const { method, params } = message;
  const name = params?.[NAMED_BY[method ?? ""] ?? ""];
  return {
    "mcp-protocol-version": revision,
    ...(method !== undefined && { "mcp-method": method }),
    ...(typeof name === "string" && { "mcp-name": headerValue(name) }),
  };
}

const NAMED_BY: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/** As it is where it is plain ASCII, else `=?base64?...?=` over its UTF-8. */
function headerValue(value: string): string {
  const plain = /^[\x20-\x7e\t]+$/.test(value) && value === value.trim() && !/^=\?base64\?.*\?=$/.test(value);
  return plain ? value : `=?base64?${Buffer.from(value).toString("base64")}?=`;
}

const PARSE_ERROR = -32700;
const SERVER_ERROR = -32000;

/** An error of the bridge's own making, told like one of the hub's: a code for programs, a sentence for people. */
export function failure(id: RequestId | null, code: string, message: string): string {
  const number = code === "INPUT_INVALID" ? PARSE_ERROR : SERVER_ERROR;
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: number, message, data: { code } } });
}
