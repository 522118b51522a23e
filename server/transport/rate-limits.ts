import { hash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Caller } from "../action/caller.ts";
import { HubError } from "../errors.ts";
import { RateBuckets, type RateStore } from "./rate-buckets.ts";

/** Digests of tokens that counted when they were last used. */
const MOST_TOKENS = 10_000;

export interface RateLimitsOptions {
  /** Calls of one principal in a minute; 0 limits nothing. */
  readonly perPrincipal: number;
  /** Wrong tokens from one address in a minute; 0 limits nothing. */
  readonly perAddress: number;
  readonly secret: Buffer;
  readonly store?: RateStore | undefined;
  readonly onStoreAway?: (error: unknown) => void;
  readonly now?: () => number;
}

/**
 * How much a caller may ask for. Who is known pays from a bucket of their own, whatever their address: many share one
 * behind a proxy or on a laptop, and one's flood must not slow the others. An address pays for wrong tokens alone; once
 * it has none left, a token that was not seen here before is not looked up. One that counted before goes on, so that
 * nobody is locked out by what others send from next door.
 */
export class RateLimits {
  readonly #principals: RateBuckets;
  readonly #addresses: RateBuckets;
  readonly #known = new Set<string>();

  constructor({ perPrincipal, perAddress, ...shared }: RateLimitsOptions) {
    this.#principals = new RateBuckets({ ...shared, kind: "principal", perMinute: perPrincipal });
    this.#addresses = new RateBuckets({ ...shared, kind: "address", perMinute: perAddress });
  }

  /** Before a token is looked up. Throws RATE_LIMITED. */
  refuseGuesser(remoteAddress: string | undefined, token: string): void {
    const wait = this.#addresses.waitFor(networkOf(remoteAddress));
    if (wait > 0 && !this.#known.has(digestOf(token))) throw rateLimited(wait, "wrong tokens came from this address");
  }

  /** The token is none, or nobody's. */
  countGuess(remoteAddress: string | undefined): void {
    this.#addresses.charge(networkOf(remoteAddress));
  }

  /** The token is somebody's. */
  remember(token: string): void {
    const digest = digestOf(token);
    if (this.#known.has(digest)) return;
    this.#known.add(digest);
    if (this.#known.size > MOST_TOKENS) this.#known.delete(this.#known.values().next().value as string);
  }

  /** Throws RATE_LIMITED. */
  async spend({ account, principal }: Caller, calls = 1): Promise<void> {
    const taken = this.#principals.take(`${account.id}/${principal.id}`, calls);
    const wait = typeof taken === "number" ? taken : await taken;
    if (wait > 0) throw rateLimited(wait, "calls were made by this principal");
  }
}

/** Told in whole seconds, also by `Retry-After`. */
function rateLimited(retryAfterSeconds: number, what: string): HubError {
  const seconds = retryAfterSeconds === 1 ? "a second" : `${retryAfterSeconds} seconds`;
  return new HubError("RATE_LIMITED", `Too many ${what}; call again in ${seconds}.`, {
    details: { retryAfterSeconds },
  });
}

/** Tokens are not kept, and their ids alone would let others pass who know one. */
function digestOf(token: string): string {
  return hash("sha256", token, "base64");
}

/** Who has an IPv6 address has the 2^64 of its network; an IPv4 address is itself, however it is written. */
export function networkOf(remoteAddress = ""): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remoteAddress)?.[1];
  if (v4 !== undefined || !isIPv6(remoteAddress)) return v4 ?? remoteAddress;
  const [address = ""] = remoteAddress.split("%");
  const [head = "", tail] = address.split("::");
  const before = head.split(":").filter((group) => group !== "");
  const after = (tail ?? "").split(":").filter((group) => group !== "");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
