/**
 * For tests: Vault's HTTP interface as far as the hub meets it, in front of a transit engine. What it follows is OpenBao's
 * source (`internal/http/`, `sdk/logical/response_util.go`, `internal/vault/request_handling.go`) and documentation
 * (`website/content/docs/api/auth/`); the place is named at each rule.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TransitEngine } from "./transit-engine.fixture.ts";

export const ROOT_TOKEN = "hvs.root-of-the-test-server";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Token {
  ttl: number;
  readonly renewable: boolean;
  renewals: number;
  /** Paths that its policies let it use. */
  readonly may: RegExp;
  /** Whether they have the capability `create` there. */
  readonly creates: boolean;
}

type TokenTerms = Partial<Pick<Token, "ttl" | "renewable" | "may" | "creates">>;

export class VaultServer implements AsyncDisposable {
  readonly engines = new Map<string, TransitEngine>([["transit", new TransitEngine()]]);
  readonly tokens = new Map<string, Token>();
  readonly seen: SeenRequest[] = [];
  /** role id -> secret id; role -> JWT. */
  readonly appRoles = new Map<string, string>();
  readonly jwtRoles = new Map<string, string>();
  /** Of tokens that a login gives, in seconds. */
  leaseSeconds = 1200;
  /** Where it is not the root namespace. */
  namespace = "";
  sealed = false;
  /** On standby: the active node's address, "" where there is none. */
  standby: string | undefined;
  /** DefaultMaxRequestSize and DefaultMaxJsonStrings of OpenBao. */
  maxRequestSize = 32 * 1024 * 1024;
  maxJsonStrings = 1000;
  /** HashiCorp Vault's alone, where it is CustomMaxJSONStringValueLength, 1 MiB: of one string's characters. */
  maxJsonStringLength = Number.POSITIVE_INFINITY;
  /** What befalls the next requests: a status with this text, or "hang-up" before and "hang-up-after" once it is done. */
  readonly faults: (number | "hang-up" | "hang-up-after")[] = [];
  readonly #server;
  readonly #scheme: "http" | "https";
  #sockets = new Set<Socket>();
  #port = 0;
  #made = 0;

  private constructor(tls: ServerOptions | undefined) {
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = tls ? createTlsServer(tls, serve) : createServer(serve);
    this.#scheme = tls ? "https" : "http";
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    this.addToken(ROOT_TOKEN, { ttl: 0, renewable: false });
  }

  static async open(tls?: ServerOptions): Promise<VaultServer> {
    const server = new VaultServer(tls);
    await server.listen();
    return server;
  }

  get address(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  get engine(): TransitEngine {
    return this.engines.get("transit") as TransitEngine;
  }

  addToken(token: string, { ttl = 1200, renewable = true, may = /(?:)/, creates = true }: TokenTerms = {}) {
    this.tokens.set(token, { ttl, renewable, may, creates, renewals: 0 });
  }

  /** Requests whose path has this in it. */
  asked(part: string): SeenRequest[] {
    return this.seen.filter(({ path }) => path.includes(part));
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As one that was killed: nobody listens any more. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.address);
    const path = decodeURIComponent(url.pathname);
    const body = await this.#bodyOf(request);
    this.seen.push({ method: request.method ?? "", path, headers: request.headers, body: body ?? "" });
    const fault = this.faults.shift();
    if (fault === "hang-up") return void request.socket.destroy();
    if (typeof fault === "number") return answer(response, fault, { errors: ["injected"] });
    // http.MaxBytesReader; AdjustErrorStatusCode of response_util.go
    if (body === undefined) {
      response.setHeader("connection", "close");
      return answer(response, 413, { errors: ["failed to parse JSON input: http: request body too large"] });
    }
    const [status, content] = this.#answerTo(request, path, url.searchParams, body);
    if (fault === "hang-up-after") return void request.socket.destroy();
    if (status === 307) response.setHeader("location", `${this.standby}${request.url}`);
    answer(response, status, content);
  }

  async #bodyOf(request: IncomingMessage): Promise<string | undefined> {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of request) {
      length += (part as Buffer).length;
      if (length <= this.maxRequestSize) parts.push(part as Buffer);
    }
    return length > this.maxRequestSize ? undefined : Buffer.concat(parts).toString("utf8");
  }

  #answerTo(request: IncomingMessage, path: string, query: URLSearchParams, body: string): [number, unknown] {
    const [, version, ...rest] = path.split("/");
    if (version !== "v1") return [404, { errors: [] }];
    const place = rest.join("/");
    // sys_health.go: 503 sealed, 429 standby
    if (place === "sys/health") {
      const status = this.sealed ? 503 : this.standby !== undefined ? 429 : 200;
      return [status, { initialized: true, sealed: this.sealed, standby: this.standby !== undefined }];
    }
    // Core.HandleRequest of request_handling.go; consts.ErrSealed
    if (this.sealed) return [503, { errors: ["Vault is sealed"] }];
    // respondStandby of handler.go
    if (this.standby === "") return [503, { errors: ["no active Vault instance found"] }];
    if (this.standby !== undefined) return [307, undefined];
    const namespace = String(request.headers["x-vault-namespace"] ?? "").replace(/\/$/, "");
    if (namespace !== this.namespace) return [404, { errors: ["namespace not found"] }];
    let input: Record<string, unknown> = {};
    if (body !== "") {
      input = JSON.parse(body) as Record<string, unknown>;
      // HashiCorp Vault 1.21, wrapJSONLimitsHandler of http/util.go: a fault of the server's, by its status
      if (longestIn(input) > this.maxJsonStringLength) {
        return [500, { errors: ["JSON string value exceeds allowed length"] }];
      }
      if (stringsIn(input) > this.maxJsonStrings) {
        return [400, { errors: ["refused JSON input due to high complexity: exceeded maximum number of strings"] }];
      }
    }
    if (place === "auth/approle/login" || place === "auth/jwt/login") return this.#login(place, input);
    const token = this.tokens.get(String(request.headers["x-vault-token"] ?? ""));
    // CheckToken of request_handling.go: a token that is unknown or over gets what one without the policy gets
    const refused: [number, unknown] = [403, { errors: ["1 error occurred:\n\t* permission denied\n\n"] }];
    if (token === undefined || !token.may.test(place)) return refused;
    if (place === "auth/token/lookup-self") {
      return [200, { data: { ttl: token.ttl, renewable: token.renewable, policies: ["hub"] } }];
    }
    if (place === "auth/token/renew-self") return this.#renew(token, String(request.headers["x-vault-token"]));
    const mount = rest[0] ?? "";
    const engine = this.engines.get(mount);
    // Router.routeCommon of router.go
    if (engine === undefined) return [404, { errors: [`no handler for route "${place}". route entry not found.`] }];
    if (!token.creates && engine.creates(rest.slice(1).join("/"))) return refused;
    // buildLogicalRequest of logical.go: a GET with list=true is a LIST
    const method =
      request.method === "GET" && /^(1|t|true)$/i.test(query.get("list") ?? "") ? "LIST" : (request.method ?? "");
    const { status, data, errors, warnings } = engine.handle(method, rest.slice(1).join("/"), input);
    if (errors !== undefined) return [status, { errors }];
    if (status === 204) return [204, undefined];
    return [
      status,
      {
        request_id: "r",
        lease_id: "",
        renewable: false,
        lease_duration: 0,
        data,
        warnings: warnings ?? null,
        auth: null,
      },
    ];
  }

  /** docs/api/auth/approle.mdx and jwt.mdx; what does not fit is 400, as logical.ErrorResponse is. */
  #login(place: string, input: Record<string, unknown>): [number, unknown] {
    const [known, name, secret] =
      place === "auth/jwt/login"
        ? [this.jwtRoles, input["role"], input["jwt"]]
        : [this.appRoles, input["role_id"], input["secret_id"]];
    if (known.get(String(name)) !== secret || secret === undefined)
      return [400, { errors: ["invalid role or secret ID"] }];
    const token = `hvs.made-${++this.#made}`;
    this.addToken(token, { ttl: this.leaseSeconds });
    return [
      200,
      { auth: { client_token: token, lease_duration: this.leaseSeconds, renewable: true, policies: ["hub"] } },
    ];
  }

  /** docs/api/auth/token.mdx */
  #renew(token: Token, name: string): [number, unknown] {
    if (!token.renewable) return [400, { errors: ["lease is not renewable"] }];
    token.renewals++;
    token.ttl = this.leaseSeconds;
    return [200, { auth: { client_token: name, lease_duration: token.ttl, renewable: true } }];
  }
}

/** json.go: all strings count, names of members too. */
function stringsIn(value: unknown): number {
  if (typeof value === "string") return 1;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + stringsIn(item), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, item) => sum + 1 + stringsIn(item), 0);
}

function longestIn(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((longest: number, item) => Math.max(longest, longestIn(item)), 0);
}

function answer(response: ServerResponse, status: number, content: unknown): void {
  response.statusCode = status;
  if (content === undefined) return void response.end();
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(content));
}
