/** Tool calls as clients of the two eras send them, for `load.ts`. */
import type { Load } from "./load.ts";

export const MODERN = "2026-07-28";
const OLDER = "2025-11-25";
const ACCEPT = { "content-type": "application/json", accept: "application/json, text/event-stream" };

export interface ToolCall {
  readonly url: string;
  readonly token: string | undefined;
  readonly tool: string;
  readonly input: unknown;
}

type Amount = Pick<Load, "connections" | "requests">;

/** The request of one call in revision 2026-07-28. */
export function modernCall(id: number, { tool, input }: Pick<ToolCall, "tool" | "input">) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name: tool, arguments: input, _meta } };
}

export function modernLoad(call: ToolCall, amount: Amount) {
  const headers = {
    ...ACCEPT,
    authorization: `Bearer ${call.token}`,
    "mcp-protocol-version": MODERN,
    "mcp-method": "tools/call",
    "mcp-name": call.tool,
  };
  const body = JSON.stringify(modernCall(1, call));
  return { url: call.url, headers, bodies: { kind: "same", body } as const, ...amount };
}

let sessions = 0;

/** In a session of its own, which stays open. Of several requests at once, each has another id: the session goes by it. */
export async function olderLoad(call: ToolCall, amount: Amount): Promise<Load> {
  const headers = await openSession(call);
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: "{name}",
    method: "tools/call",
    params: { name: call.tool, arguments: call.input },
  });
  return { url: call.url, headers, bodies: { kind: "named", body, prefix: `s${++sessions}` }, ...amount };
}

/** The handshake of the 2025 revisions; answers with what each request of the session repeats. */
export async function openSession({ url, token }: Pick<ToolCall, "url" | "token">): Promise<Record<string, string>> {
  const headers = { ...ACCEPT, authorization: `Bearer ${token}` };
  const params = { protocolVersion: OLDER, capabilities: {}, clientInfo: { name: "bench", version: "1" } };
  const hello = { jsonrpc: "2.0", id: 0, method: "initialize", params };
  const opened = await fetch(url, { method: "POST", headers, body: JSON.stringify(hello) });
  await opened.text();
  const id = opened.headers.get("mcp-session-id");
  if (id === null) throw new TypeError(`no session was opened: ${opened.status}`);
  const session = { ...headers, "mcp-protocol-version": OLDER, "mcp-session-id": id };
  const done = { jsonrpc: "2.0", method: "notifications/initialized" };
  const told = await fetch(url, { method: "POST", headers: session, body: JSON.stringify(done) });
  await told.text();
  return session;
}
