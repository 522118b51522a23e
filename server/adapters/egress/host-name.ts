import { isIP } from "node:net";

/** A host as it is resolved and compared: lower case, no trailing dot, international names in Punycode. */
export interface Host {
  /** A name, or an IP address in its one plain spelling, without brackets. */
  readonly name: string;
  readonly isAddress: boolean;
}

const NAME = /^(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/;

/**
 * Reads a host in any of its spellings: with brackets, a trailing dot, upper case, international letters, and IPv4
 * addresses as decimal, octal, hexadecimal or short forms, which resolvers would take for 127.0.0.1 and its kind.
 * Undefined where it is none.
 */
export function readHost(text: string): Host | undefined {
  if (text.length > 300 || /[\s/?#@\\%<>^|\p{Cc}]/u.test(text)) return undefined;
  const bracketed = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  // the WHATWG parser does what browsers do; the port must not be part of what it sees
  if (bracketed.startsWith("[") !== bracketed.endsWith("]")) return undefined;
  const url = `http://${bracketed}/`;
  if (!URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  if (port !== "") return undefined;
  if (hostname.startsWith("[")) return { name: hostname.slice(1, -1), isAddress: true };
  const name = hostname.replace(/\.$/, "");
  if (isIP(name) !== 0) return { name, isAddress: true };
  return name.length <= 253 && NAME.test(name) ? { name, isAddress: false } : undefined;
}

/** As in a URL: an IPv6 address in brackets. */
export function hostForUrl(name: string): string {
  return name.includes(":") ? `[${name}]` : name;
}

/** Splits `host:port` and `[v6]:port`; undefined where it is neither, or the port is no number from 1 to 65535. */
export function readTarget(text: string): { host: string; port: number } | undefined {
  const [, host, digits] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port };
}
