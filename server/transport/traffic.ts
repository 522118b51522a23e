import type { Caller } from "../action/caller.ts";
import { HubError } from "../errors.ts";
import type { Exchange } from "./exchange.ts";

/** What this door is working on: admits no more than it can bear, and lets it finish when the door closes. */
export class Traffic {
  readonly #most: number;
  readonly #open = new Set<Exchange>();
  /** Open exchanges that wait for the hub, and not for a person or on a stream. */
  readonly #working = new Set<Exchange>();
  /** Calls inside the gate; one may outlive its exchange, when its client has gone. */
  #running = 0;
  readonly #runningOf = new Map<string, number>();
  /** Bodies on their way: they hold a connection and memory, and no place of the calls. */
  readonly #uploadsOf = new Map<string, number>();
  #draining = false;
  #onIdle: (() => void) | undefined;
  /** When the last exchange or call ended; milliseconds as `performance.now()` counts them. */
  #lastEnd = performance.now();

  /** Of one principal: it leaves room for the others. */
  readonly #mostOfOne: number;

  constructor(most: number) {
    this.#most = most;
    this.#mostOfOne = Math.min(most, Math.max(2, Math.ceil(most / 2)));
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Since when no exchange is open and no call runs; undefined while one does. */
  get idleSince(): number | undefined {
    return this.#open.size === 0 && this.#running === 0 ? this.#lastEnd : undefined;
  }

  /** Lets a request in that is not yet read, and whose caller is not known. Throws DRAINING. */
  enter(exchange: Exchange): void {
    this.#refuseDraining();
    this.#open.add(exchange);
    exchange.response.once("close", () => {
      this.#open.delete(exchange);
      this.#working.delete(exchange);
      this.#settle();
    });
  }

  /** Reads a caller's body. A slow one takes no place from calls, only from further bodies of its own. Throws OVERLOADED. */
  async uploading<T>(caller: Caller, read: () => Promise<T>): Promise<T> {
    const { id } = caller.principal;
    if ((this.#uploadsOf.get(id) ?? 0) >= this.#mostOfOne) throw overloaded(this.#mostOfOne, "bodies of yours");
    return counted(this.#uploadsOf, id, read);
  }

  /** A request is work from here on: it was read, and who calls is known. Throws DRAINING, OVERLOADED. */
  admit(exchange: Exchange, caller: Caller): void {
    this.#refuseDraining();
    if (Math.max(this.#working.size, this.#running) >= this.#most) throw overloaded(this.#most, "calls");
    const { id } = caller.principal;
    const working = [...this.#working].filter((other) => other.caller?.principal.id === id).length;
    if (Math.max(working, this.#runningOf.get(id) ?? 0) >= this.#mostOfOne)
      throw overloaded(this.#mostOfOne, "calls of yours");
    if (this.#open.has(exchange)) this.#working.add(exchange);
  }

  /** Waits for something outside, a person or an open stream, without counting as work. */
  async idling<T>(exchange: Exchange, wait: () => Promise<T>): Promise<T> {
    this.#working.delete(exchange);
    this.#settle();
    try {
      return await wait();
    } finally {
      if (this.#open.has(exchange)) this.#working.add(exchange);
    }
  }

  async running<T>(caller: Caller, call: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await counted(this.#runningOf, caller.principal.id, call);
    } finally {
      this.#running--;
      this.#settle();
    }
  }

  /**
   * Lets nobody in any more, and ends what is no work (`endStreams`). Resolves when no work is left, or after `limitMs`;
   * then what is still open is aborted.
   */
  async drain(limitMs: number, endStreams: () => Promise<void> = async () => {}): Promise<void> {
    this.#draining = true;
    const { promise: idle, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
    const limit = setTimeout(giveUp, limitMs);
    const ended = endStreams();
    this.#settle();
    await Promise.race([Promise.all([idle, ended]), late]);
    clearTimeout(limit);
    for (const exchange of this.#open) exchange.abort();
  }

  #refuseDraining(): void {
    if (this.#draining) throw new HubError("DRAINING", "This hub is stopping; call again in a moment.");
  }

  #settle(): void {
    this.#lastEnd = performance.now();
    if (this.#draining && this.#working.size === 0 && this.#running === 0) this.#onIdle?.();
  }
}

function overloaded(most: number, what: string): HubError {
  return new HubError("OVERLOADED", `This hub works on ${most} ${what} already; call again in a moment.`);
}

async function counted<T>(counts: Map<string, number>, id: string, run: () => Promise<T>): Promise<T> {
  counts.set(id, (counts.get(id) ?? 0) + 1);
  try {
    return await run();
  } finally {
    const left = (counts.get(id) ?? 1) - 1;
    if (left > 0) counts.set(id, left);
    else counts.delete(id);
  }
}
