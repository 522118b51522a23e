import { createHmac } from "node:crypto";

/** Names that are told apart; the one that was seen longest ago is the first to be forgotten. */
const MOST_BUCKETS = 10_000;
/** What a process may spend of a bucket before it tells the others: this part of it. */
const CREDIT = 1 / 20;
/** Milliseconds for which a store that failed is left alone. */
const AWAY_MS = 1000;

/** The buckets that all processes of a hub share. */
export interface RateStore {
  /** Takes `spent` from a bucket that fills up in a minute; what is left, below nothing if need be. Throws where it is away. */
  spend(bucket: Buffer, spent: number, capacity: number): Promise<number>;
}

export interface RateBucketsOptions {
  /** What a bucket holds, and what flows into it in a minute. 0 limits nothing. */
  readonly perMinute: number;
  /** Told apart from others in the same store. */
  readonly kind: string;
  /** Keys the digests under which buckets are stored: a name may be somebody's address. */
  readonly secret: Buffer;
  /** Absent: this process alone counts. */
  readonly store?: RateStore | undefined;
  readonly onStoreAway?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

interface Bucket {
  /** What was left at `at`, as far as is known here. */
  left: number;
  at: number;
  /** Spent, and not yet told to the store. */
  untold: number;
  telling: Promise<void> | undefined;
}

/**
 * Token buckets that the processes of a hub agree on. Each process spends from memory and tells the store in batches, in
 * the background: a call far from its limit costs no round trip. What is known here is never less than what is left, since
 * others only take; so a flood is refused from memory too. A process runs ahead of what it has told by a twentieth of a
 * bucket at most: it waits for the store then, and what was spent too much is missing from the next minute. While the
 * store is away each process counts alone.
 */
export class RateBuckets {
  readonly #options: RateBucketsOptions;
  readonly #now: () => number;
  readonly #credit: number;
  readonly #buckets = new Map<string, Bucket>();
  #awayUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RateBucketsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#credit = Math.max(1, Math.floor(options.perMinute * CREDIT));
  }

  /** Takes from the named bucket: 0 where it held as much, else the whole seconds until it will, and nothing is taken. */
  take(name: string, amount = 1): number | Promise<number> {
    if (this.#options.perMinute === 0) return 0;
    const bucket = this.#bucket(name);
    const wait = this.#waitOf(bucket, amount);
    if (wait > 0) return wait;
    if (bucket.telling && bucket.untold + amount > this.#credit)
      return bucket.telling.then(() => this.take(name, amount));
    this.#spend(name, bucket, amount);
    return 0;
  }

  /** Takes although there may be nothing left. */
  charge(name: string): void {
    if (this.#options.perMinute > 0) this.#spend(name, this.#bucket(name), 1);
  }

  /** The whole seconds until there will be something in the named bucket; 0 where there is. */
  waitFor(name: string): number {
    const bucket = this.#buckets.get(name);
    return bucket === undefined ? 0 : this.#waitOf(bucket, 1);
  }

  /** Resolves when the store knows what was spent here so far, where a batch is on its way to it. */
  async told(): Promise<void> {
    await Promise.all([...this.#buckets.values()].flatMap(({ telling }) => telling ?? []));
  }

  #bucket(name: string): Bucket {
    const found = this.#buckets.get(name);
    const bucket = found ?? { left: this.#options.perMinute, at: this.#now(), untold: 0, telling: undefined };
    if (found) this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MOST_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket;
  }

  #leftIn({ left, at }: Bucket): number {
    const { perMinute } = this.#options;
    return Math.min(perMinute, left + ((this.#now() - at) / 60_000) * perMinute);
  }

  #setLeft(bucket: Bucket, left: number): void {
    bucket.left = Math.max(-this.#options.perMinute, left);
    bucket.at = this.#now();
  }

  #waitOf(bucket: Bucket, amount: number): number {
    const { perMinute } = this.#options;
    // more at once than there will ever be is let in once the bucket is full
    const missing = Math.min(amount, perMinute) - this.#leftIn(bucket);
    // rounding is no call
    return missing < 1e-6 ? 0 : Math.ceil((missing / perMinute) * 60);
  }

  #spend(name: string, bucket: Bucket, amount: number): void {
    this.#setLeft(bucket, this.#leftIn(bucket) - amount);
    bucket.untold += amount;
    if (bucket.untold * 2 >= this.#credit) this.#tell(name, bucket);
  }

  #tell(name: string, bucket: Bucket): void {
    const { store, perMinute, onStoreAway } = this.#options;
    if (bucket.telling) return;
    if (store === undefined || this.#now() < this.#awayUntil) {
      // nobody else will hear of it
      bucket.untold = 0;
      return;
    }
    const { untold } = bucket;
    bucket.telling = store
      .spend(this.#keyOf(name), untold, perMinute)
      .then(
        (level) => {
          bucket.untold -= untold;
          // what was spent here while the store was away, it does not know
          this.#setLeft(bucket, Math.min(this.#leftIn(bucket), level - bucket.untold));
        },
        (error: unknown) => {
          this.#awayUntil = this.#now() + AWAY_MS;
          bucket.untold = 0;
          onStoreAway?.(error);
        },
      )
      .finally(() => {
        bucket.telling = undefined;
      });
  }

  #keyOf(name: string): Buffer {
    const { secret, kind } = this.#options;
    return createHmac("sha256", secret).update(`rate\0${kind}\0${name}`).digest().subarray(0, 16);
  }
}
