/** Refusals of one address that are told apart: so many at once, then so many a second. */
const OF_ADDRESS = { burst: 50, perSecond: 10 };
const OF_ALL = { burst: 100, perSecond: 20 };
const MOST_ADDRESSES = 1000;

interface Bucket {
  left: number;
  filledAt: number;
}

/** How many refusals of strangers are recorded: token buckets, of each remote address and of all together. */
export class RefusalRate {
  readonly #now: () => number;
  readonly #all: Bucket;
  readonly #addresses = new Map<string, Bucket>();

  /** `now` in milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#all = { left: OF_ALL.burst, filledAt: now() };
  }

  /** Whether one more may be recorded. */
  take(address: string): boolean {
    const own = this.#addresses.get(address) ?? { left: OF_ADDRESS.burst, filledAt: this.#now() };
    // the one that was seen longest ago is the first to be forgotten
    this.#addresses.delete(address);
    this.#addresses.set(address, own);
    if (this.#addresses.size > MOST_ADDRESSES) this.#addresses.delete(this.#addresses.keys().next().value as string);
    this.#fill(own, OF_ADDRESS);
    this.#fill(this.#all, OF_ALL);
    if (own.left < 1 || this.#all.left < 1) return false;
    own.left--;
    this.#all.left--;
    return true;
  }

  #fill(bucket: Bucket, { burst, perSecond }: typeof OF_ALL): void {
    const now = this.#now();
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
  }
}
