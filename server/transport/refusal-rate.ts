interface Rate {
  /** So many at once. */
  readonly burst: number;
  readonly perSecond: number;
}

interface Rates {
  /** Of one source. */
  readonly ofOne: Rate;
  readonly ofAll: Rate;
}

/** Of strangers, by their addresses. */
const STRANGERS: Rates = { ofOne: { burst: 50, perSecond: 10 }, ofAll: { burst: 100, perSecond: 20 } };
const MOST_SOURCES = 1000;

interface Bucket {
  left: number;
  filledAt: number;
}

/** How many refusals are recorded: token buckets, of each source and of all together. */
export class RefusalRate {
  readonly #rates: Rates;
  readonly #now: () => number;
  readonly #all: Bucket;
  readonly #sources = new Map<string, Bucket>();

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(rates: Rates = STRANGERS, now: () => number = () => performance.now()) {
    this.#rates = rates;
    this.#now = now;
    this.#all = { left: rates.ofAll.burst, filledAt: now() };
  }

  /** Whether one more may be recorded. */
  take(source: string): boolean {
    const { ofOne, ofAll } = this.#rates;
    const own = this.#sources.get(source) ?? { left: ofOne.burst, filledAt: this.#now() };
    // the one that was seen longest ago is the first to be forgotten
    this.#sources.delete(source);
    this.#sources.set(source, own);
    if (this.#sources.size > MOST_SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
    this.#fill(own, ofOne);
    this.#fill(this.#all, ofAll);
    if (own.left < 1 || this.#all.left < 1) return false;
    own.left--;
    this.#all.left--;
    return true;
  }

  #fill(bucket: Bucket, { burst, perSecond }: Rate): void {
    const now = this.#now();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
  }
}
