import type { IncomingMessage } from "node:http";
import { HubError } from "../errors.ts";
import type { DoorSettings } from "./door-settings.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
/** Accepted values are remembered, since a client sends the same one each time; the number of ports bounds nothing. */
const REMEMBERED = 256;
const MOST_HEADERS = 100;

/**
 * Answers only requests that were meant for this hub: a page that rebinds its name to this address (DNS rebinding) still
 * sends its own name as Host, and a foreign page its own Origin. Loopback is checked too: that is where browsers are.
 */
export class OwnAddress {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #accepted = new Set<string>();

  /** `port` is the one listened on: behind `port: 0` it is known only then. */
  constructor(
    {
      host,
      publicUrl,
      allowedHosts,
      allowedOrigins,
      tls,
    }: Pick<DoorSettings, "host" | "publicUrl" | "allowedHosts" | "allowedOrigins" | "tls">,
    port: number,
  ) {
    const own = [...LOOPBACK, nameOf(host)];
    const open = publicUrl === undefined ? [] : [publicUrl];
    this.#hosts = new Set([...own, ...open.map((url) => new URL(url).host), ...allowedHosts]);
    this.#origins = new Set([
      ...own.map((name) => originOf(`${tls ? "https" : "http"}://${name}:${port}`)),
      ...[...open, ...allowedOrigins].map(originOf),
    ]);
  }

  /** Throws ORIGIN_REFUSED. */
  check(headers: { readonly host?: string | undefined; readonly origin?: string | undefined }): void {
    this.#checkHost(headers.host ?? "");
    // programs send no Origin, browsers always do where it matters
    if (headers.origin !== undefined && !this.#origins.has(originOf(headers.origin)))
      throw new HubError(
        "ORIGIN_REFUSED",
        "This hub does not answer pages of that origin. COUNTERSIGN_ALLOWED_ORIGINS names those it does.",
      );
  }

  #checkHost(host: string): void {
    if (this.#accepted.has(host)) return;
    const [, name, port] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i.exec(host) ?? [];
    const lower = name?.toLowerCase();
    if (lower === undefined || !(this.#hosts.has(lower) || this.#hosts.has(`${lower}:${port}`)))
      throw new HubError(
        "ORIGIN_REFUSED",
        "This hub does not answer to that Host. COUNTERSIGN_ALLOWED_HOSTS names those it does.",
      );
    if (this.#accepted.size < REMEMBERED) this.#accepted.add(host);
  }
}

/**
 * Refuses a header of which there may be one, sent twice (RFC 9112, section 3.2): what stands before the hub may have
 * read the other one. Throws INPUT_INVALID.
 */
export function refuseTwice({ headersDistinct }: Pick<IncomingMessage, "headersDistinct">): void {
  for (const [name, values = []] of Object.entries(headersDistinct))
    if (values.length > 1 && isSingle(name))
      throw new HubError("INPUT_INVALID", `The header ${name} was sent more than once.`, { path: `headers.${name}` });
}

/** Headers by which somebody decides: who, where, what, how it is to be read, whether it is the same call again. */
const SINGLE: ReadonlySet<string> = new Set([
  "host",
  "authorization",
  "origin",
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "idempotency-key",
  "countersign-run-id",
  "last-event-id",
  "traceparent",
]);

/** `Mcp-Method` and all its like too. */
function isSingle(name: string): boolean {
  return SINGLE.has(name) || name.startsWith("mcp-");
}

/** Refuses more headers than any client has a use for. Throws INPUT_TOO_LARGE. */
export function refuseHeaderFlood({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">): void {
  // names and values take turns
  if (rawHeaders.length > 2 * MOST_HEADERS)
    throw new HubError("INPUT_TOO_LARGE", `A request has at most ${MOST_HEADERS} headers.`, { path: "headers" });
}

/** A host as it stands in an address: IPv6 in brackets, lower case. */
export function nameOf(host: string): string {
  return (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host).toLowerCase();
}

/** In the form that browsers send: lower case, without the scheme's own port. */
function originOf(origin: string): string {
  const parsed = URL.canParse(origin) ? new URL(origin).origin : "null";
  // schemes that are not the web's have the origin "null" to the parser: they must not all be alike
  return parsed === "null" ? origin.toLowerCase() : parsed;
}
