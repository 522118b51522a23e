import { HubError } from "../../../server/errors.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Notices Ctrl-C for as long as it is open, so that what is under way is cleared away. A second one ends at once. */
export class StopSignal implements Disposable {
  readonly #stop = new AbortController();
  readonly #notice = () => {
    this.#stop.abort(
      new HubError("CANCELLED", "It was stopped: what it had begun is undone, or is taken up when it is run again."),
    );
    this[Symbol.dispose]();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#notice);
  }

  /** Between two steps. Throws CANCELLED. */
  readonly check = (): void => this.#stop.signal.throwIfAborted();

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#notice);
  }
}
