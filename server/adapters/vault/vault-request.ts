import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as startTls } from "node:tls";
import { HubError } from "../../errors.ts";
import type { Egress } from "../egress/egress.ts";
import { readSettingsFile, type VaultSettings } from "./vault-settings.ts";

/** What node-vault hands to the function that carries its requests. */
export interface VaultRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** What it wants back. */
export interface VaultAnswer {
  readonly statusCode: number;
  /** JSON, or undefined where it is none. */
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface VaultTransport {
  request(options: VaultRequest): Promise<VaultAnswer>;
  /** Ends the connections. */
  close(): void;
}

/** For one request, from the first byte to the last. */
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** An answer is at most as large as the largest batch; what is longer does not come from a transit engine. */
const LONGEST_ANSWER = 64 * 1024 * 1024;
const CONNECTIONS = 64;

/**
 * Carries requests to Vault in place of node-vault's own HTTP client: connections come from egress, which dials the
 * addresses that it judged, and nothing is logged, cached or read from the environment. One redirect is followed, as a
 * standby node asks for, and to hosts that the operator named alone: the token goes along.
 *
 * `request` rejects with KEY_SERVICE_UNREACHABLE where there is no answer; `details.reason` has the system's word.
 * @throws HubError CONFIG_INVALID where the TLS files cannot be used
 */
export async function openVaultTransport(settings: VaultSettings, egress: Egress): Promise<VaultTransport> {
  const { protocol } = new URL(settings.address);
  const agent = protocol === "https:" ? new EgressTlsAgent(egress, await tlsFrom(settings)) : new EgressAgent(egress);
  const hosts = new Set([new URL(settings.address).hostname, ...(settings.redirectHosts ?? [])]);
  return {
    async request({ method, uri, headers, json }) {
      const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
      const send = (url: URL) => exchange(agent, url, { method, headers: { ...headers }, body });
      let url = new URL(uri);
      let answer = await send(url);
      if (answer.statusCode === 307) {
        url = redirection(answer.location, url, hosts);
        answer = await send(url);
      }
      return { statusCode: answer.statusCode, body: parsed(answer.text), request: { path: url.pathname } };
    },
    close: () => agent.destroy(),
  };
}

/** Reads the files once: a new certificate takes a restart. */
async function tlsFrom({ caFile, clientCertFile, clientKeyFile }: VaultSettings): Promise<ConnectionOptions> {
  const [ca, cert, key] = await Promise.all([
    caFile === undefined ? undefined : readSettingsFile(caFile, "public"),
    clientCertFile === undefined ? undefined : readSettingsFile(clientCertFile, "public"),
    clientKeyFile === undefined ? undefined : readSettingsFile(clientKeyFile, "secret"),
  ]);
  return { minVersion: "TLSv1.2", ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

type Connected = (error: Error | null, stream: Duplex) => void;

/** As agents want it: by a callback. */
async function handOver(connecting: Promise<Duplex>, done: Connected): Promise<void> {
  let stream: Duplex;
  try {
    stream = await connecting;
  } catch (error) {
    return (done as (error: unknown) => void)(error);
  }
  done(null, stream);
}

/** Plain connections: for a proxy or an agent of Vault's on this machine. */
class EgressAgent extends HttpAgent {
  readonly #egress: Egress;

  constructor(egress: Egress) {
    super({ keepAlive: true, maxSockets: CONNECTIONS });
    this.#egress = egress;
  }

  override createConnection(options: object, done: Connected): undefined {
    void handOver(dial(this.#egress, options), done);
  }
}

class EgressTlsAgent extends HttpsAgent {
  readonly #egress: Egress;
  readonly #tls: ConnectionOptions;

  constructor(egress: Egress, tls: ConnectionOptions) {
    super({ keepAlive: true, maxSockets: CONNECTIONS });
    this.#egress = egress;
    this.#tls = tls;
  }

  override createConnection(options: object, done: Connected): undefined {
    const { host } = targetOf(options);
    // a name is checked against the certificate; an address is too, and is no server name (RFC 6066)
    const name = isIP(host) === 0 ? { servername: host } : { host };
    const encrypted = dial(this.#egress, options).then((socket) => startTls({ ...this.#tls, ...name, socket }));
    void handOver(encrypted, done);
  }
}

function dial(egress: Egress, options: object) {
  const { host, port } = targetOf(options);
  return egress.connect(host, port, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), timeoutMs: CONNECT_TIMEOUT_MS });
}

function targetOf(options: object): { host: string; port: number } {
  const { host, port } = options as { host?: string; port?: number | string };
  return { host: (host ?? "").replace(/^\[|\]$/g, ""), port: Number(port) };
}

interface Exchange {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

interface Received {
  readonly statusCode: number;
  readonly location: string | undefined;
  readonly text: string;
}

function exchange(agent: HttpAgent | HttpsAgent, url: URL, { method, headers, body }: Exchange): Promise<Received> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(unreachable(url, cause));
    const outgoing = send(url, {
      agent,
      method,
      headers: {
        ...headers,
        accept: "application/json",
        "x-vault-request": "true", // an agent or proxy of Vault's may ask for it
        ...(body && { "content-type": "application/json", "content-length": String(body.length) }),
      },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    let answered = false;
    outgoing.on("response", (incoming) => {
      answered = true;
      receive(incoming).then(resolve, fail);
    });
    // a server that refuses a body answers before it has read all of it, and hangs up
    outgoing.on("error", (error) => answered || fail(error));
    outgoing.end(body);
  });
}

async function receive(incoming: IncomingMessage): Promise<Received> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of incoming) {
    const bytes = part as Buffer;
    length += bytes.length;
    if (length > LONGEST_ANSWER) throw Object.assign(new Error("the answer is too long"), { code: "ANSWER_TOO_LONG" });
    parts.push(bytes);
  }
  return {
    statusCode: incoming.statusCode ?? 0,
    location: incoming.headers.location,
    text: Buffer.concat(parts).toString("utf8"),
  };
}

function redirection(location: string | undefined, from: URL, hosts: ReadonlySet<string>): URL {
  const to = location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (to !== undefined && to.protocol === from.protocol && hosts.has(to.hostname)) return to;
  throw new HubError(
    "KEY_SERVICE_UNREACHABLE",
    "The key service's node is on standby and names another that nobody allowed: add its host to COUNTERSIGN_EGRESS_ALLOW, or set COUNTERSIGN_VAULT_ADDR to the active node or a balancer.",
    { details: { reason: "STANDBY" } },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The cause is named and not kept: errors of requests carry their headers. */
function unreachable({ host }: URL, cause: unknown): HubError {
  if (cause instanceof HubError && cause.code === "KEY_SERVICE_UNREACHABLE") return cause;
  const { code, name } = cause as { code?: unknown; name?: unknown };
  const known = typeof code === "string" ? code : "UNKNOWN";
  const reason = name === "TimeoutError" || known === "ABORT_ERR" ? "TIMEOUT" : known;
  return new HubError("KEY_SERVICE_UNREACHABLE", `The key service at ${host} does not answer (${reason}).`, {
    details: { reason },
  });
}
