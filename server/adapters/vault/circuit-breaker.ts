import { HubError } from "../../errors.ts";
import { isDown } from "./refusals.ts";

export interface BreakerOptions {
  /** Calls in a row that found the service down before the others are spared. */
  readonly failures?: number;
  /** How long they are spared at first; twice as long each time, up to `longestMs`. */
  readonly openMs?: number;
  readonly longestMs?: number;
  readonly now?: () => number;
}

/**
 * Spares callers the wait for a service that is down: after some failures in a row every call fails at once with what
 * the last one met, and one at a time goes through to see whether that still holds.
 */
export class CircuitBreaker {
  readonly #failures: number;
  readonly #openMs: number;
  readonly #longestMs: number;
  readonly #now: () => number;
  #inARow = 0;
  #lastError: HubError | undefined;
  #openUntil = 0;
  #trying = false;

  constructor({ failures = 3, openMs = 250, longestMs = 4_000, now = () => performance.now() }: BreakerOptions = {}) {
    this.#failures = failures;
    this.#openMs = openMs;
    this.#longestMs = longestMs;
    this.#now = now;
  }

  /** Throws what `call` throws, or what the last call threw that found the service down. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const open = this.#inARow >= this.#failures;
    if (open && (this.#trying || this.#now() < this.#openUntil)) throw this.#refusal();
    if (open) this.#trying = true;
    try {
      const result = await call();
      this.#inARow = 0;
      return result;
    } catch (error) {
      if (isDown(error)) this.#failed(error);
      else this.#inARow = 0; // it answered
      throw error;
    } finally {
      if (open) this.#trying = false;
    }
  }

  #failed(error: HubError): void {
    this.#inARow++;
    this.#lastError = error;
    const times = Math.max(0, this.#inARow - this.#failures);
    this.#openUntil = this.#now() + Math.min(this.#longestMs, this.#openMs * 2 ** Math.min(times, 20));
  }

  #refusal(): HubError {
    const { code, message, details } = this.#lastError ?? new HubError("KEY_SERVICE_UNREACHABLE", "It was down.");
    const retryAfterSeconds = Math.max(1, Math.ceil((this.#openUntil - this.#now()) / 1000));
    return new HubError(code, message, { details: { ...details, retryAfterSeconds } });
  }
}
