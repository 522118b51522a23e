import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { DEFAULT_DOOR_SETTINGS, type DoorSettings } from "./door-settings.ts";
import { FakeDoor } from "./fake-door.ts";
import { type HttpDoor, openHttpDoor } from "./http-server.ts";

/** For tests: a real HTTP door on a free port before a fake hub, and clients of the bare wire. */
export class TestDoor implements AsyncDisposable {
  readonly hub: FakeDoor;
  readonly http: HttpDoor;
  readonly token: string;

  private constructor(hub: FakeDoor, http: HttpDoor) {
    this.hub = hub;
    this.http = http;
    this.token = hub.admit("alice");
  }

  static async open(settings: Partial<DoorSettings> = {}): Promise<TestDoor> {
    const hub = new FakeDoor();
    return new TestDoor(hub, await openHttpDoor(hub, { ...DEFAULT_DOOR_SETTINGS, drainMs: 2000, ...settings }));
  }

  get mcpUrl(): string {
    return `${this.http.url}/mcp`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hub.gate.resolve();
    await this.http.drain();
  }

  /** A message of revision 2026-07-28, with what the revision asks for unless `change` takes it away. */
  async rpc(method: string, params: Record<string, unknown> = {}, change: RpcChange = {}): Promise<WireAnswer> {
    const { token = this.token, capabilities = {}, meta = {}, headers = {} } = change;
    const envelope = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "wire", version: "0" },
      "io.modelcontextprotocol/clientCapabilities": capabilities,
      ...meta,
    };
    const body =
      change.body ?? JSON.stringify({ jsonrpc: "2.0", id: 7, method, params: { ...params, _meta: envelope } });
    return this.send("/mcp", body, {
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof params.name === "string" && { "mcp-name": params.name }),
      ...headers,
    });
  }

  call(name: string, args: Record<string, unknown> = {}, change: RpcChange = {}): Promise<WireAnswer> {
    return this.rpc("tools/call", { name, arguments: args, ...change.params }, change);
  }

  /** POST; a header of `undefined` is left out. */
  async send(
    path: string,
    body: string,
    headers: Record<string, string | undefined> = {},
    method = "POST",
  ): Promise<WireAnswer> {
    const sent = Object.entries({ "content-type": "application/json", ...headers }).filter(
      ([, value]) => value !== undefined,
    );
    const response = await fetch(this.http.url + path, {
      method,
      headers: Object.fromEntries(sent) as Record<string, string>,
      ...(method === "POST" && { body }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, text: answer, json: parsed(answer) };
  }

  /** POST of an empty input from an address of this machine; the status alone. */
  async sendFrom(localAddress: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
    const sent = request({
      host: "127.0.0.1",
      port: this.http.port,
      localAddress,
      path,
      method: "POST",
      headers: { "content-type": "application/json", "content-length": 2, ...headers },
    }).end("{}");
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  /** Bytes as they are, over a connection of their own; what came back until it was closed. */
  async raw(bytes: string, endAfter = true): Promise<string> {
    const socket = connect(this.http.port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => {});
    socket.write(bytes);
    if (endAfter) socket.end();
    return text(socket);
  }
}

export interface RpcChange {
  token?: string;
  capabilities?: Record<string, unknown>;
  /** `undefined` takes a key away. */
  meta?: Record<string, unknown>;
  headers?: Record<string, string | undefined>;
  params?: Record<string, unknown>;
  body?: string;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever came back
  readonly json: any;
}

function parsed(text: string): unknown {
  const data = text
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .at(-1);
  try {
    return JSON.parse(data ? data.slice(5) : text);
  } catch {
    return undefined;
  }
}
