/**
 * A proxy on loopback for a program that opens connections itself, such as git: HTTP CONNECT (RFC 9110, 9.3.6) and
 * nothing else, for one job, behind the job's own credential. Each target goes through the egress rules, one that a
 * redirect led to as well; bytes are counted both ways.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HubError } from "../../errors.ts";
import type { Egress } from "./egress.ts";
import { readTarget } from "./host-name.ts";

export interface TunnelOptions {
  /** Most bytes that all connections together may carry, both ways. */
  readonly maxBytes: number;
  /** Ends every connection. */
  readonly signal: AbortSignal;
  /** Longest silence of a connection. */
  readonly idleMs?: number;
}

/** Why connections were not made or were ended; a program behind the proxy sees only that they were. */
export type TunnelFailure =
  | { readonly kind: "refused"; readonly error: HubError }
  | { readonly kind: "over-budget" }
  | { readonly kind: "unreachable"; readonly target: string; readonly reason: string };

export interface Tunnel extends AsyncDisposable {
  readonly port: number;
  /** `user:password` for `Proxy-Authorization: Basic`. */
  readonly credential: string;
  /** The gravest so far. */
  readonly failure: TunnelFailure | undefined;
  readonly bytes: number;
}

const MOST_CONNECTIONS = 16;
const IDLE_MS = 60_000;
const GRAVITY = { refused: 3, "over-budget": 2, unreachable: 1 };

/** Opens the proxy; disposing of it closes every connection through it. */
export async function openTunnel(egress: Egress, options: TunnelOptions): Promise<Tunnel> {
  const { maxBytes, idleMs = IDLE_MS } = options;
  const credential = `job:${randomBytes(24).toString("hex")}`;
  const expected = `Basic ${Buffer.from(credential).toString("base64")}`;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const open = new Set<Duplex>();
  let failure: TunnelFailure | undefined;
  let bytes = 0;

  const fail = (found: TunnelFailure) => {
    if (failure === undefined || GRAVITY[found.kind] > GRAVITY[failure.kind]) failure = found;
  };
  const closeAll = () => {
    for (const socket of open) socket.destroy();
  };
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) return;
    fail({ kind: "over-budget" });
    closeAll();
  };
  const hold = (socket: Duplex) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
  };

  async function carry(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    hold(client);
    if (!isSame(request.headers["proxy-authorization"], expected)) {
      return end(client, 407, "Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="job"\r\n');
    }
    const target = readTarget(request.url ?? "");
    if (target === undefined) return end(client, 400, "Bad Request");
    if (bytes > maxBytes || open.size > 2 * MOST_CONNECTIONS) return end(client, 503, "Service Unavailable");
    let upstream: Socket;
    try {
      upstream = await egress.connect(target.host, target.port, { signal });
    } catch (error) {
      const refused = error instanceof HubError && error.code === "EGRESS_REFUSED";
      fail(
        refused ? { kind: "refused", error } : { kind: "unreachable", target: target.host, reason: reasonOf(error) },
      );
      return end(client, refused ? 403 : 502, refused ? "Forbidden" : "Bad Gateway");
    }
    hold(upstream);
    if (client.destroyed || signal.aborted) {
      upstream.destroy();
      return;
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.setTimeout(idleMs, () => {
      fail({ kind: "unreachable", target: target.host, reason: `said nothing for ${idleMs / 1000} s` });
      upstream.destroy();
    });
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    client.on("data", count);
    upstream.on("data", count);
    if (head.length > 0) client.unshift(head);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  const server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000, headersTimeout: 10_000 });
  server.on("request", (_, response) => response.writeHead(405, { allow: "CONNECT", connection: "close" }).end());
  server.on("connect", (request, client, head) => void carry(request, client, head));
  server.on("connection", (socket) => hold(socket));
  server.on("clientError", (_, socket) => socket.destroy());
  await listen(server);
  signal.addEventListener("abort", closeAll);

  return {
    port: (server.address() as AddressInfo).port,
    credential,
    get failure() {
      return failure;
    },
    get bytes() {
      return bytes;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      closeAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isSame(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ""), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function end(client: Duplex, status: number, word: string, headers = ""): void {
  client.end(`HTTP/1.1 ${status} ${word}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`);
}

function reasonOf(error: unknown): string {
  if (error instanceof HubError) return error.code === "TIMEOUT" ? "did not answer in time" : "was given up";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "has no address that could be found";
  if (code === "ECONNREFUSED") return "refuses connections at this port";
  return code === "" ? "cannot be reached" : `cannot be reached (${code})`;
}
