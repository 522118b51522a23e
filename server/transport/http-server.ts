import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { HubError } from "../errors.ts";
import { ActionEndpoint } from "./action-endpoint.ts";
import { refuseTokenInQuery } from "./bearer-token.ts";
import { CLAIMS_PATH, ClaimPage } from "./claims/claim-page.ts";
import { allowOrigin, answerPreflight, isPreflight } from "./cors.ts";
import type { DoorSettings } from "./door-settings.ts";
import { Exchange } from "./exchange.ts";
import { HealthEndpoint } from "./health/health-endpoint.ts";
import type { HubDoor } from "./hub-door.ts";
import { answerFault } from "./mcp/errors.ts";
import { McpEndpoint } from "./mcp/mcp-endpoint.ts";
import { nameOf, OwnAddress, refuseHeaderFlood, refuseTwice } from "./own-address.ts";
import { answerProblem } from "./problem.ts";
import type { RateStore } from "./rate-buckets.ts";
import { RateLimits } from "./rate-limits.ts";
import { Refusals } from "./refusals.ts";
import { TlsCertificate } from "./tls-files.ts";
import { Traffic } from "./traffic.ts";

const MCP_PATH = "/mcp";
/** Milliseconds without a byte either way: whoever does not even read its answer is cut off. Streams have keep-alives. */
const SILENCE_MS = 10 * 60_000;

/** An open HTTP door. */
export interface HttpDoor extends AsyncDisposable {
  readonly port: number;
  /** `http://host:port` or `https://...`, without a path. */
  readonly url: string;
  /** Since when nobody asks for anything but its health, as `performance.now()` counts; undefined while somebody does. */
  readonly idleSince: number | undefined;
  /** Refuses new calls, lets running ones finish within `drainMs`, then closes. Health answers until then. */
  drain(): Promise<void>;
  /** Reads the TLS files again, where there are any; what cannot be used is logged, and the certificate stays. */
  reloadTls(): Promise<void>;
}

/**
 * Opens the door: MCP, plain actions and health on one port. `rates` is where the processes of a hub agree on what a
 * caller has spent; without it this one counts alone. Throws CONFIG_INVALID where the TLS files cannot be used, and what
 * the system says where it cannot listen.
 */
export async function openHttpDoor(door: HubDoor, settings: DoorSettings, rates?: RateStore): Promise<HttpDoor> {
  const certificate = settings.tls && (await TlsCertificate.open(settings.tls, { log: door.log }));
  const limits = {
    maxHeaderSize: settings.maxHeaderBytes,
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    // how often the two above are looked at
    connectionsCheckingInterval: Math.max(50, Math.min(5000, settings.headersTimeoutMs / 2)),
    keepAliveTimeout: 65_000,
    noDelay: true,
  };
  const server = certificate
    ? createTlsServer({ ...limits, ...certificate.options, handshakeTimeout: settings.headersTimeoutMs })
    : createServer(limits);
  certificate?.follow(server as ReturnType<typeof createTlsServer>);
  // beyond a number Node leaves headers out without a word: the door refuses instead
  server.maxHeadersCount = 0;
  server.maxConnections = settings.maxConnections;
  server.timeout = SILENCE_MS;
  server.listen(settings.port, settings.host.replace(/^\[|\]$/g, ""));
  try {
    await once(server, "listening");
  } catch (error) {
    certificate?.[Symbol.dispose]();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return new OpenDoor(door, settings, { server, port, certificate, rates });
}

interface Opened {
  readonly server: Server;
  readonly port: number;
  readonly certificate: TlsCertificate | undefined;
  readonly rates: RateStore | undefined;
}

class OpenDoor implements HttpDoor {
  readonly port: number;
  readonly url: string;
  readonly #door: HubDoor;
  readonly #settings: DoorSettings;
  readonly #server: Server;
  readonly #certificate: TlsCertificate | undefined;
  readonly #own: OwnAddress;
  readonly #traffic: Traffic;
  readonly #refusals: Refusals;
  readonly #mcp: McpEndpoint;
  readonly #actions: ActionEndpoint;
  readonly #claims: ClaimPage;
  readonly #health: HealthEndpoint;
  /** What is open on each connection: clients may send the next request before they have an answer. */
  readonly #exchanges = new WeakMap<Socket, Set<Exchange>>();
  #drained: Promise<void> | undefined;

  constructor(door: HubDoor, settings: DoorSettings, { server, port, certificate, rates }: Opened) {
    this.port = port;
    this.url = `${certificate ? "https" : "http"}://${nameOf(nameFor(settings, certificate))}:${port}`;
    this.#door = door;
    this.#settings = settings;
    this.#server = server;
    this.#certificate = certificate;
    this.#own = new OwnAddress(settings, port);
    this.#traffic = new Traffic(settings.maxInFlight);
    this.#refusals = new Refusals(door, rateLimits(door, settings, rates));
    this.#mcp = new McpEndpoint(door, this.#traffic, this.#refusals, settings);
    this.#actions = new ActionEndpoint(door, this.#traffic, this.#refusals, settings);
    this.#claims = new ClaimPage(door, this.#traffic, this.#refusals);
    this.#health = new HealthEndpoint(door, this.#traffic);
    server.on("request", (request, response) => void this.#serve(request, response));
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => this.#refuseUnreadable(error, socket));
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Socket) => {
      door.log.debug({ code: error.code, from: socket.remoteAddress }, "no TLS");
      socket.destroy();
    });
  }

  get idleSince(): number | undefined {
    return this.#traffic.idleSince;
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = new Exchange(request, response);
    this.#follow(exchange);
    const isMcp = exchange.path === MCP_PATH;
    try {
      refuseHeaderFlood(request);
      refuseTwice(request);
      this.#own.check(request.headers);
      allowOrigin(exchange);
      if (isPreflight(request)) return answerPreflight(exchange);
      if (HealthEndpoint.serves(exchange.path)) return await this.#health.serve(exchange);
      refuseTokenInQuery(request.url ?? "");
      this.#traffic.enter(exchange);
      if (isMcp) await this.#mcp.serve(exchange);
      else if (ClaimPage.serves(exchange.path)) await this.#claims.serve(exchange);
      else if (ActionEndpoint.serves(exchange.path)) await this.#actions.serve(exchange);
      else answerProblem(exchange, new HubError("NOT_FOUND", "There is nothing at this address."));
    } catch (thrown) {
      const error = this.#refusals.record(exchange, thrown, isMcp ? "mcp" : "http");
      if (error.code === "INTERNAL") this.#door.log.error({ err: thrown, requestId: exchange.id }, "a request failed");
      if (this.#traffic.draining) response.setHeader("connection", "close");
      if (isMcp) answerFault(exchange, error);
      else answerProblem(exchange, error);
    }
  }

  async reloadTls(): Promise<void> {
    await this.#certificate?.reload();
  }

  async #drain(): Promise<void> {
    this.#certificate?.[Symbol.dispose]();
    await this.#traffic.drain(this.#settings.drainMs, () => this.#mcp.endStreams());
    const closed = once(this.#server, "close");
    this.#server.close();
    await this.#mcp.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** What is no HTTP, or came too slowly. */
  #refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    this.#door.log.debug({ code: error.code, from: socket.remoteAddress }, "unreadable request");
    // an earlier request on this connection may still get its answer: this one must not be taken for it
    const [first, ...more] = this.#exchanges.get(socket) ?? [];
    const itsOwn = first === undefined || (more.length === 0 && !first.request.complete && !first.response.headersSent);
    if (!socket.writable || !itsOwn) return void socket.destroy();
    const status = STATUS_LINES[error.code ?? ""] ?? "400 Bad Request";
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  #follow(exchange: Exchange): void {
    const { socket } = exchange.request;
    const open = this.#exchanges.get(socket) ?? new Set();
    this.#exchanges.set(socket, open.add(exchange));
    exchange.response.once("close", () => {
      open.delete(exchange);
      this.#report(exchange);
    });
  }

  #report(exchange: Exchange): void {
    const { id, traceId, path, subject, caller, started, response, request } = exchange;
    const status = response.headersSent ? response.statusCode : 499;
    this.#door.log[status >= 500 ? "warn" : "debug"](
      {
        requestId: id,
        traceId,
        method: request.method,
        // a claim's code lets in whoever has it
        path: ClaimPage.serves(path) ? `${CLAIMS_PATH}...` : path,
        status,
        ms: Math.round(performance.now() - started),
        ...(subject && { subject }),
        ...(caller && { principal: caller.principal.id, account: caller.account.id }),
      },
      "request",
    );
  }
}

/** The name that clients are given: one that the certificate is for. */
function nameFor({ host, allowedHosts }: DoorSettings, certificate: TlsCertificate | undefined): string {
  const names = allowedHosts.map((allowed) => allowed.replace(/:\d+$/, ""));
  return certificate?.nameAmong([host, ...names, "localhost", "127.0.0.1", "::1"]) ?? host;
}

function rateLimits(door: HubDoor, settings: DoorSettings, store: RateStore | undefined): RateLimits {
  return new RateLimits({
    perPrincipal: settings.ratePerPrincipal,
    perAddress: settings.ratePerAddress,
    secret: door.sealKey,
    store,
    onStoreAway: (err) => door.log.warn({ err }, "rate limits are this process's own for now"),
  });
}

const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};
