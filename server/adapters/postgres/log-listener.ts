import type pg from "pg";

/** Sent by `hub_integrate`, without a payload, once for all that got positions in one transaction. */
const CHANNEL = "countersign_log";
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** How often a connection that says nothing is asked whether it still is one. */
const HEARTBEAT_MS = 30_000;

export interface LogListenerOptions {
  /** A connected client of the listener's own. */
  readonly connect: () => Promise<pg.Client>;
  /** There may be something new: said at each notification, and whenever it listens again after it did not. */
  readonly onWake: () => void;
  /** For the log. */
  readonly onLost: (error: unknown) => void;
  readonly heartbeatMs?: number;
}

/**
 * One connection that hears when receipts or events of any account have got positions, from whichever process on this
 * database. It connects again when it is lost. What was said meanwhile is not heard, so that it wakes by itself then.
 */
export class LogListener implements AsyncDisposable {
  readonly #options: LogListenerOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: LogListenerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      try {
        const client = await this.#options.connect();
        try {
          await this.#listen(client, () => {
            waitMs = FIRST_WAIT_MS;
          });
        } finally {
          await client.end().catch(() => {});
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onLost(error);
        await this.#pause(waitMs);
        waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
      }
    }
  }

  /** Resolves when it is closed; throws when the connection is lost. */
  async #listen(client: pg.Client, heard: () => void): Promise<void> {
    const { onWake, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const { signal } = this.#closing;
    const { promise: lost, reject } = Promise.withResolvers<never>();
    lost.catch(() => {});
    client.once("end", () => reject(new Error("the connection that listens was closed")));
    client.on("notification", onWake);
    await client.query(`listen ${CHANNEL}`);
    heard();
    onWake();
    // a connection that a network has forgotten says nothing either
    const heartbeat = setInterval(() => void client.query("select 1").catch(reject), heartbeatMs).unref();
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const close = () => resolve();
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) resolve();
    try {
      await Promise.race([lost, closed]);
    } finally {
      clearInterval(heartbeat);
      signal.removeEventListener("abort", close);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    const { signal } = this.#closing;
    const stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
