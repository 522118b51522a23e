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
  #draining = false;
  #onIdle: (() => void) | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Throws DRAINING, OVERLOADED. What was admitted leaves when its response is closed. */
  admit(exchange: Exchange): void {
    if (this.#draining) throw new HubError("DRAINING", "This hub is stopping; call again in a moment.");
    if (Math.max(this.#working.size, this.#running) >= this.#most)
      throw new HubError("OVERLOADED", `This hub works on ${this.#most} calls already; call again in a moment.`);
    this.#open.add(exchange);
    this.#working.add(exchange);
    exchange.response.once("close", () => {
      this.#open.delete(exchange);
      this.#working.delete(exchange);
      this.#settle();
    });
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

  async running<T>(call: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await call();
    } finally {
      this.#running--;
      this.#settle();
    }
  }

  /** Resolves when no work is left, or after `limitMs`; then what is still open is aborted. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true;
    const { promise: idle, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const limit = setTimeout(resolve, limitMs);
    this.#settle();
    await idle;
    clearTimeout(limit);
    for (const exchange of this.#open) exchange.abort();
  }

  #settle(): void {
    if (this.#draining && this.#working.size === 0 && this.#running === 0) this.#onIdle?.();
  }
}
