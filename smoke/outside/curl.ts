/** MCP by hand: every message is one run of the program `curl`, and what is read is what came over the wire. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Answer, Called, OutsideClient } from "./clients.ts";
import type { HubPlace } from "./place.ts";

const MODERN = "2026-07-28";
const OLDER = "2025-11-25";
const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name: "curl", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

interface WireAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly message: Answer;
}

/** Revision 2026-07-28: every request stands alone and repeats in its headers what it says. */
export async function curlModern(place: HubPlace): Promise<OutsideClient> {
  return clientOf(async (method, params) => {
    const { name } = params;
    const headers = {
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
    };
    return post(place, headers, { id: 1, method, params: { ...params, _meta: META } });
  });
}

/** Revision 2025-11-25: a session, opened by a handshake, whose id every request repeats. */
export async function curlOlder(place: HubPlace): Promise<OutsideClient> {
  const hello = { protocolVersion: OLDER, capabilities: {}, clientInfo: { name: "curl", version: "1" } };
  const opened = await post(place, {}, { id: 0, method: "initialize", params: hello });
  const { protocolVersion } = resultOf(opened);
  const session = {
    "mcp-protocol-version": protocolVersion,
    "mcp-session-id": opened.headers.get("mcp-session-id") ?? "",
  };
  assert.equal((await post(place, session, { method: "notifications/initialized" })).status, 202);
  const client = clientOf((method, params) => post(place, session, { id: 1, method, params }));
  return { ...client, close: async () => void (await curl(place, session, "DELETE")) };
}

function clientOf(send: (method: string, params: Record<string, unknown>) => Promise<WireAnswer>): OutsideClient {
  return {
    listTools: async () => resultOf(await send("tools/list", {})),
    callTool: async (params) => resultOf(await send("tools/call", params)) as Called,
    close: async () => {},
  };
}

function resultOf({ status, message }: WireAnswer): Answer {
  if (status !== 200 || message?.error) throw new Error(`${status} ${JSON.stringify(message)}`);
  return message.result;
}

function post(place: HubPlace, headers: Readonly<Record<string, string>>, message: object): Promise<WireAnswer> {
  const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
  return curl(place, all, "POST", JSON.stringify({ jsonrpc: "2.0", ...message }));
}

/** Its options go by standard input, where no other user of the machine reads the token. */
async function curl(
  { url, token }: HubPlace,
  headers: Readonly<Record<string, string>>,
  method: string,
  body?: string,
): Promise<WireAnswer> {
  const lines = Object.entries({ authorization: `Bearer ${token("agent")}`, ...headers });
  const options = [
    ["url", url],
    ["request", method],
    ...lines.map(([name, value]) => ["header", `${name}: ${value}`]),
    ...(body === undefined ? [] : [["data-raw", body]]),
  ];
  const child = spawn(
    "curl",
    ["--disable", "--noproxy", "*", "--silent", "--show-error", "--include", "--config", "-"],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const said = text(child.stdout);
  child.stdin.end(options.map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join(""));
  return parse(await said);
}

function parse(said: string): WireAnswer {
  const end = said.indexOf("\r\n\r\n");
  const [start = "", ...lines] = said.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const body = said.slice(end + 4);
  const isStream = headers.get("content-type")?.startsWith("text/event-stream");
  // an answer is the last message of its stream
  const json = isStream
    ? body
        .split("\n")
        .findLast((line) => line.startsWith("data: {"))
        ?.slice("data: ".length)
    : body;
  return { status: Number(start.split(" ")[1]), headers, message: json ? JSON.parse(json) : undefined };
}
