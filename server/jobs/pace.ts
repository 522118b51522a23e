const FIRST_SIZE = 200;
const MOST_ITEMS = 500;
/** A batch that takes longer is too much for whoever serves it. */
const TARGET_MS = 400;
const LONGEST_REST_MS = 2_000;
/** While people and agents wait for answers. */
const BUSY_ITEMS = 40;
/** Rests for each batch that they had to wait for, by what it took. */
const BUSY_RESTS = 3;

/**
 * How fast a walk goes: batches shrink by half when they are refused as too large or take too long, and grow back; after a
 * slow one there is a rest as long as it took, so that calls get their turn; while callers wait, batches are small and
 * every one is followed by a longer rest; and a limit of records a second is kept.
 */
export class Pace {
  readonly #rate: number | undefined;
  readonly #most: number;
  #size: number;

  constructor(ratePerSecond?: number) {
    this.#rate = ratePerSecond;
    this.#most = Math.min(MOST_ITEMS, ratePerSecond ?? MOST_ITEMS);
    this.#size = Math.min(FIRST_SIZE, this.#most);
  }

  /** Records that the next batch should have at most. */
  get size(): number {
    return this.#size;
  }

  /** After a batch: milliseconds to wait before the next one. `busy`: callers wait for answers. */
  done(records: number, tookMs: number, busy = false): number {
    const slow = tookMs > TARGET_MS;
    this.#size = slow ? halved(this.#size) : Math.min(this.#most, Math.ceil(this.#size * 1.5));
    if (busy) this.#size = Math.min(this.#size, BUSY_ITEMS);
    const owed = this.#rate === undefined ? 0 : (records / this.#rate) * 1_000 - tookMs;
    const rest = (busy ? BUSY_RESTS : slow ? 1 : 0) * tookMs;
    return Math.max(0, owed, Math.min(rest, LONGEST_REST_MS));
  }

  /** The batch was too large: whether a smaller one can be tried. */
  refused(): boolean {
    const before = this.#size;
    this.#size = halved(before);
    return this.#size < before;
  }
}

const halved = (size: number): number => Math.max(1, Math.floor(size / 2));
