import { isRead } from "./define-action.ts";
import type { RegisteredAction } from "./registry.ts";

/** Who changes one thing changes the next: how long after its answer a caller still counts. */
const LINGER_MS = 30;

/**
 * Changes that people and agents have under way in this process: long work of the hub's own makes room for them. Reads are
 * not counted: they are short, and those that are not wait for that very work.
 */
export class OnlineCalls {
  #running = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;

  async run<T>(entry: RegisteredAction | undefined, call: () => Promise<T>): Promise<T> {
    if (!entry || isRead(entry.action)) return call();
    this.#running++;
    try {
      return await call();
    } finally {
      this.#running--;
      this.#lastEnd = performance.now();
    }
  }

  /** Somebody waits for a change, or had an answer a moment ago. */
  get busy(): boolean {
    return this.#running > 0 || performance.now() - this.#lastEnd < LINGER_MS;
  }
}
