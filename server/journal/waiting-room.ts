import { HubError } from "../errors.ts";

export interface WaitingRoomLimits {
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/** Counts the entries that are not durable yet, and the bytes of their statements. */
export class WaitingRoom {
  readonly #limits: WaitingRoomLimits;
  #entries = 0;
  #bytes = 0;

  constructor(limits: WaitingRoomLimits) {
    this.#limits = limits;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Lets an entry of so many bytes in. Throws JOURNAL_FULL. */
  admit(bytes: number): void {
    const { maxWaiting, maxWaitingBytes } = this.#limits;
    if (this.#entries >= maxWaiting || this.#bytes + bytes > maxWaitingBytes) {
      const message = `The journal is full: ${this.#entries} entries wait to be written. Try again in a moment.`;
      throw new HubError("JOURNAL_FULL", message);
    }
    this.enter(bytes);
  }

  /** For an entry that must not be refused. */
  enter(bytes: number): void {
    this.#entries++;
    this.#bytes += bytes;
  }

  /** `bytes`: as many as it came in with. */
  leave(bytes: number): void {
    this.#entries--;
    this.#bytes -= bytes;
  }
}
