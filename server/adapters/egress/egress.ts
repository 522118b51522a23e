/**
 * Outgoing connections: the one defence against being sent into the hub's own network (SSRF). A host is resolved once,
 * every address of it is judged, and what is dialled are those addresses: an answer that changes later is never asked
 * for.
 */
import { lookup } from "node:dns/promises";
import { connect as dial, isIPv6, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { HubError } from "../../errors.ts";
import { whyNotPublic } from "./address-rules.ts";
import { type Host, hostForUrl, readHost, readTarget } from "./host-name.ts";

/** All addresses of a name, at most as long as `signal` allows. Rejects with what Node's `dns` gives. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** For resolving and connecting together. */
  readonly timeoutMs?: number;
}

export interface Egress {
  /**
   * A connection to one of the addresses that the host had when it was judged.
   *
   * Throws EGRESS_REFUSED where an address is not public and nobody allowed the host, TIMEOUT, CANCELLED where the
   * signal says so, and else the system's error (ENOTFOUND, ECONNREFUSED and so on), which the caller has words for.
   */
  connect(host: string, port: number, options: ConnectOptions): Promise<Socket>;
  /**
   * Throws EGRESS_REFUSED where `connect` would never go there: an address that is not public, and that nobody allowed.
   * What a name leads to is found out when it is used.
   */
  refuseAddress(host: string, port: number): void;
}

export interface EgressOptions {
  /** Hosts to connect to whatever their addresses are: `host`, or `host:port` for one port; COUNTERSIGN_EGRESS_ALLOW. */
  readonly allow: readonly string[];
  readonly resolve?: Resolve;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Throws CONFIG_INVALID where an entry of `allow` is no host. */
export function createEgress({ allow, resolve = systemResolve }: EgressOptions): Egress {
  const allowed = new Set(allow.map(allowedEntry));
  const isAllowed = (name: string, port: number) =>
    allowed.has(hostForUrl(name)) || allowed.has(`${hostForUrl(name)}:${port}`);

  /** The addresses to dial: all of the host's, each judged. */
  async function pin(host: string, port: number): Promise<readonly string[]> {
    const read = readHost(host);
    if (read === undefined) {
      throw new HubError("EGRESS_REFUSED", `${JSON.stringify(host.slice(0, 100))} is not the name of a host.`);
    }
    const addresses = read.isAddress ? [read.name] : await resolve(read.name);
    if (addresses.length === 0) throw Object.assign(new Error(`${read.name} has no address`), { code: "ENOTFOUND" });
    if (isAllowed(read.name, port)) return addresses;
    for (const address of addresses) {
      const reason = whyNotPublic(address);
      if (reason !== undefined) throw refused(read, reason);
    }
    return addresses;
  }

  return {
    refuseAddress(host, port) {
      const read = readHost(host);
      if (!read?.isAddress || isAllowed(read.name, port)) return;
      const reason = whyNotPublic(read.name);
      if (reason !== undefined) throw refused(read, reason);
    },

    async connect(host, port, { signal, timeoutMs = CONNECT_TIMEOUT_MS }) {
      const over = new AbortController();
      const limit = AbortSignal.any([signal, over.signal]);
      const late = pause(timeoutMs, undefined, { signal: limit }).then(
        () => over.abort(new HubError("TIMEOUT", `${host} did not answer within ${timeoutMs / 1000} s.`)),
        () => {}, // it ended before its time, one way or the other
      );
      try {
        return await connectPinned(await unlessAborted(pin(host, port), limit), port, limit);
      } catch (error) {
        if (signal.aborted)
          throw new HubError("CANCELLED", `The connection to ${host} was given up.`, { cause: error });
        throw over.signal.aborted ? over.signal.reason : error;
      } finally {
        over.abort();
        await late;
      }
    },
  };
}

async function systemResolve(name: string): Promise<readonly string[]> {
  const answers = await lookup(name, { all: true });
  return answers.map(({ address }) => address);
}

function allowedEntry(entry: string): string {
  const target = readTarget(entry);
  const host = readHost(target?.host ?? entry);
  if (host === undefined) {
    throw new HubError("CONFIG_INVALID", `COUNTERSIGN_EGRESS_ALLOW names ${JSON.stringify(entry)}, which is no host.`);
  }
  return hostForUrl(host.name) + (target ? `:${target.port}` : "");
}

/** The address that a name has is not told: whoever asks is not to learn the names of a private network so. */
function refused({ name, isAddress }: Host, reason: string): HubError {
  const found = isAddress ? "is not a public address" : "has an address that is not public";
  return new HubError(
    "EGRESS_REFUSED",
    `${name} ${found} (${reason}); the hub connects to public ones alone. If it is meant, the hub's operator adds ${hostForUrl(name)} to COUNTERSIGN_EGRESS_ALLOW.`,
    { details: { host: name, reason } },
  );
}

/** Node tries the addresses in turn, both families (RFC 8305), and asks nobody for others. */
function connectPinned(addresses: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
  const pinned = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return new Promise((resolve, reject) => {
    const socket = dial({
      host: "pinned.invalid",
      port,
      noDelay: true,
      autoSelectFamily: true,
      lookup: (_name, _options, answer) => answer(null, pinned),
    });
    const settle = () => {
      signal.removeEventListener("abort", giveUp);
      socket.off("error", fail).off("connect", done);
    };
    const fail = (error: unknown) => {
      settle();
      socket.destroy();
      socket.on("error", () => {}); // whatever it says after it was given up
      reject(error instanceof Error ? error : new Error("the connection was given up", { cause: error }));
    };
    const giveUp = () => fail(signal.reason);
    const done = () => {
      settle();
      resolve(socket);
    };
    socket.on("error", fail).on("connect", done);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp);
  });
}

/** A resolver cannot be called off; nobody waits for it any longer. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let listener: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", listener);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (listener) signal.removeEventListener("abort", listener);
  }
}
