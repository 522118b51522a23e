import type { CredentialKind } from "./credential-kind.ts";

/** Where a credential may be sent: one host and port, or all hosts that have one label in the place of the asterisk. */
export interface AllowedHost {
  /** As it stands in an address; without the asterisk and its dot where `anyLabel`. */
  readonly host: string;
  readonly anyLabel: boolean;
  /** Undefined: the usual one of what the credential is for. */
  readonly port: number | undefined;
}

const SHAPE = /^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9][0-9]{0,4}))?$/;
const LABEL = "(?!-)[a-z0-9_-]{1,63}(?<!-)";
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/**
 * Reads an entry, or undefined for anything but its one spelling: upper case, a trailing dot, letters outside of ASCII
 * (write Punycode), and addresses as decimal, octal or short forms. An asterisk stands for one whole label, in front of
 * a name that has two at least.
 */
export function readAllowedHost(text: string): AllowedHost | undefined {
  const [, asterisk, host = "", digits] = SHAPE.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const anyLabel = asterisk !== undefined;
  if (host === "" || (port !== undefined && port > 65_535)) return undefined;
  const url = `http://${host}/`;
  // the parser of addresses writes every host in one way: what it would write otherwise is another spelling
  if (!URL.canParse(url) || new URL(url).hostname !== host) return undefined;
  const isAddress = host.startsWith("[") || IPV4.test(host);
  if (!isAddress && (host.length > 253 || !NAME.test(host))) return undefined;
  if (anyLabel && (isAddress || !host.includes("."))) return undefined;
  return { host, anyLabel, port };
}

const USUAL_PORT: Readonly<Record<CredentialKind, number>> = { "git-https": 443, "ssh-key": 22, "bearer-token": 443 };

/** Where the entry leads, its port filled in; undefined where that is whatever a label makes of it. */
export function oneHost(
  kind: CredentialKind,
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  const read = readAllowedHost(text);
  return read && !read.anyLabel ? { host: read.host, port: read.port ?? USUAL_PORT[kind] } : undefined;
}

/** The entry as it is kept: without the port that its kind of credential has anyway. */
export function normalAllowedHost(kind: CredentialKind, text: string): string {
  const read = readAllowedHost(text);
  return read?.port === USUAL_PORT[kind] ? text.replace(/:\d+$/, "") : text;
}

/**
 * Whether a credential may be sent to `target`: `host`, or `host:port` where the port is not the usual one. Both are in
 * the one spelling that `readAllowedHost` takes.
 */
export function allowsHost(kind: CredentialKind, entries: readonly string[], target: string): boolean {
  const wanted = readAllowedHost(normalAllowedHost(kind, target));
  if (!wanted || wanted.anyLabel) return false;
  return entries.some((entry) => {
    const allowed = readAllowedHost(normalAllowedHost(kind, entry));
    return allowed !== undefined && covers(allowed, wanted);
  });
}

/** Whether whatever `inner` lets through `outer` does too. */
function covers(outer: AllowedHost, inner: AllowedHost): boolean {
  if (outer.port !== inner.port) return false;
  if (!outer.anyLabel) return !inner.anyLabel && outer.host === inner.host;
  if (inner.anyLabel) return outer.host === inner.host;
  const dot = inner.host.indexOf(".");
  return dot > 0 && inner.host.slice(dot + 1) === outer.host;
}

/** Entries of `after` that let through more than `before` did. */
export function addedHosts(kind: CredentialKind, before: readonly string[], after: readonly string[]): string[] {
  const read = (text: string) => readAllowedHost(normalAllowedHost(kind, text));
  const outer = before.flatMap((entry) => read(entry) ?? []);
  return after.filter((entry) => {
    const inner = read(entry);
    return !inner || !outer.some((old) => covers(old, inner));
  });
}

/** Whether `entries` name the consumer: itself, or the whole area that it is in. */
export function allowsConsumer(entries: readonly string[], consumer: string): boolean {
  const [area = ""] = consumer.split("/");
  return entries.includes(consumer) || entries.includes(area);
}
