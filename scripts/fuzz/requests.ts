import { anyValue, mutated, spoiltBytes, spoiltHeaders, spoiltText } from "./mutations.ts";
import type { Random } from "./random.ts";

/** Whom the requests come from, and what there is to call. */
export interface Target {
  readonly tokens: readonly string[];
  readonly tools: readonly string[];
}

/** `call`: nothing about it is wrong but perhaps its arguments, so that it is answered with a receipt. */
export type Kind = "call" | "message" | "body" | "headers" | "framing";

export interface FuzzRequest {
  readonly kind: Kind;
  readonly bytes: Buffer;
  /** 32 hexadecimal digits, in a header of the request: its receipts have it. */
  readonly traceId: string;
}

/** From whom one request comes, and where its receipts can be found. */
interface From extends Target {
  readonly traceId: string;
}

const KINDS = [
  [30, "call"],
  [28, "message"],
  [14, "body"],
  [16, "headers"],
  [12, "framing"],
] as const;

const REVISION = "2026-07-28";

interface Message {
  readonly jsonrpc: "2.0";
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export function makeRequest(random: Random, target: Target): FuzzRequest {
  const traceId = random.uuid().replaceAll("-", "");
  return { traceId, ...made(random, { ...target, traceId }) };
}

function made(random: Random, target: From): Pick<FuzzRequest, "kind" | "bytes"> {
  const kind: Kind = random.weighed(KINDS);
  if (kind === "call") {
    const name = random.of(target.tools);
    const args = argumentsFor(random, name);
    return {
      kind,
      bytes: random.chance(0.5) ? plainCall(random, target, name, args) : toolCall(random, target, name, args),
    };
  }
  const message = anyMessage(random, target);
  if (kind === "message") {
    // what is no message at all is soon turned away: most of them are wrong further in
    const params = mutated(random, message.params) as Message["params"];
    return { kind, bytes: mcp(random, target, random.chance(0.7) ? { ...message, params } : mutated(random, message)) };
  }
  if (kind === "body") {
    const text = JSON.stringify(message);
    const body = random.chance(0.5) ? Buffer.from(spoiltText(random, text)) : spoiltBytes(random, Buffer.from(text));
    return { kind, bytes: framed("/mcp", mcpHeaders(random, target, message), body) };
  }
  if (kind === "headers") {
    const headers = spoiltHeaders(random, mcpHeaders(random, target, message));
    const path = random.weighed([
      [6, "/mcp"],
      [1, "/healthz"],
      [1, "/readyz"],
      [1, `/mcp?${random.of(["a=b", "token=x", "%"])}`],
      [1, `/v1/actions/${random.of(["%zz", "..", "system_identity_whoami", "a".repeat(500)])}`],
    ] as const);
    return { kind, bytes: framed(path, headers, Buffer.from(JSON.stringify(message))) };
  }
  const sound = random.chance(0.3)
    ? plainCall(random, target, random.of(target.tools), {})
    : mcp(random, target, message);
  return { kind, bytes: spoiltBytes(random, sound) };
}

/** Now and then what fits, now and then what does not. */
function argumentsFor(random: Random, name: string): Readonly<Record<string, unknown>> {
  const fitting: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    system_fleet_put_object: { object: { kind: "Module", name: `m-${random.below(50)}`, spec: { source: "x" } } },
    system_fleet_get_object: { kind: "Module", name: `m-${random.below(50)}` },
    system_journal_get_receipt: { id: `${random.uuid()}.outcome` },
    system_approval_get_request: { requestId: random.uuid() },
    system_operations_get: { operationId: random.uuid() },
  };
  const base = fitting[name] ?? {};
  const args = random.chance(0.6) ? base : mutated(random, base);
  return args instanceof Object && !Array.isArray(args) ? (args as Record<string, unknown>) : base;
}

const METHODS = [
  "initialize",
  "notifications/initialized",
  "notifications/cancelled",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
  "tasks/get",
  "tasks/cancel",
  "subscriptions/listen",
  "elicitation/create",
  "rpc.discover",
  "__proto__",
];

function anyMessage(random: Random, { tools }: Target): Message {
  const _meta = metaOf(random);
  const jsonrpc = "2.0";
  const id = random.weighed<unknown>([
    [8, random.below(1000)],
    [1, "text"],
    [1, undefined],
  ]);
  if (random.chance(0.5)) {
    const params = { name: random.of(tools), arguments: argumentsFor(random, random.of(tools)), _meta };
    return { jsonrpc, id, method: "tools/call", params };
  }
  const method = random.of(METHODS);
  const params =
    method === "initialize"
      ? { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "f", version: "0" } }
      : { _meta };
  return {
    jsonrpc,
    id,
    method,
    params: { ...params, ...(random.chance(0.4) && { uri: "countersign://receipts/x", name: "x" }) },
  };
}

function metaOf(random: Random): Record<string, unknown> {
  return {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": { name: "fuzz", version: "0" },
    "io.modelcontextprotocol/clientCapabilities": random.chance(0.3) ? { elicitation: { form: {} } } : {},
    ...(random.chance(0.2) && { progressToken: anyValue(random, 5) }),
  };
}

function plainCall(random: Random, target: From, name: string, args: object): Buffer {
  return framed(`/v1/actions/${name}`, commonHeaders(random, target), Buffer.from(JSON.stringify(args)));
}

function commonHeaders(random: Random, { tokens, traceId }: From): string[] {
  return [
    "Host: localhost",
    `Authorization: Bearer ${random.of(tokens)}`,
    "Content-Type: application/json",
    `Traceparent: 00-${traceId}-${"1".repeat(16)}-01`,
  ];
}

function toolCall(random: Random, target: From, name: string, args: object): Buffer {
  const meta = metaOf(random);
  delete meta["progressToken"];
  return mcp(random, target, {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name, arguments: args, _meta: meta },
  });
}

function mcp(random: Random, target: From, message: unknown): Buffer {
  return framed("/mcp", mcpHeaders(random, target, message), Buffer.from(JSON.stringify(message) ?? "null"));
}

/** What 2026-07-28 wants in headers, as far as the message has it. */
function mcpHeaders(random: Random, from: From, message: unknown): string[] {
  const { method, params } = (message instanceof Object ? message : {}) as {
    method?: unknown;
    params?: { name?: unknown; uri?: unknown };
  };
  const name = params instanceof Object ? (params.name ?? params.uri) : undefined;
  const plain = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]{1,200}$/.test(value);
  return [
    ...commonHeaders(random, from),
    "Accept: application/json, text/event-stream",
    `MCP-Protocol-Version: ${REVISION}`,
    ...(plain(method) ? [`Mcp-Method: ${method}`] : []),
    ...(plain(name) ? [`Mcp-Name: ${name}`] : []),
  ];
}

function framed(path: string, headers: readonly string[], body: Buffer): Buffer {
  const head = [`POST ${path} HTTP/1.1`, ...headers, `Content-Length: ${body.length}`, "Connection: close", "", ""];
  return Buffer.concat([Buffer.from(head.join("\r\n"), "latin1"), body]);
}
