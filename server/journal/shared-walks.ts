import type { JournalVerdict, JournalVerifier } from "../domain/evidence/journal-verifier.ts";
import { HubError } from "../errors.ts";

/** Walks in this process at a time, of whatever accounts: they read and compute as long as their journals are. */
const MOST_AT_ONCE = 2;

/**
 * Bounds what asking for verification costs: of each account one walk is under way at a time, and all who ask meanwhile
 * share the next one. So an answer is always about a walk that began after it was asked for. An earlier result is never
 * given again: that a journal has not grown does not say that nobody changed it.
 */
export class SharedWalks implements JournalVerifier {
  readonly #verifier: JournalVerifier;
  readonly #accounts = new Map<string, Account>();
  readonly #places: Places;

  constructor(verifier: JournalVerifier, mostAtOnce = MOST_AT_ONCE) {
    this.#verifier = verifier;
    this.#places = new Places(mostAtOnce);
  }

  verify(accountId: string, signal?: AbortSignal): Promise<JournalVerdict> {
    const account = this.#accounts.get(accountId) ?? {};
    this.#accounts.set(accountId, account);
    account.next ??= this.#plan(accountId, account);
    return account.next.join(signal);
  }

  #plan(accountId: string, account: Account): Walk {
    const before = account.last?.ended;
    const walk = new Walk(async (signal) => {
      await before;
      using _place = await this.#places.take();
      // who asks from here on gets the one after
      delete account.next;
      if (walk.isUnwanted) throw unwanted();
      walk.begin();
      return await this.#verifier.verify(accountId, signal);
    });
    account.last = walk;
    void walk.ended.then(() => {
      if (account.last === walk) this.#accounts.delete(accountId);
    });
    return walk;
  }
}

interface Account {
  /** The one that has not begun. */
  next?: Walk;
  last?: Walk;
}

/** One walk and those who wait for it. It is called off when nobody does any more. */
class Walk {
  readonly #result: Promise<JournalVerdict>;
  readonly #off = new AbortController();
  #waiting = 0;
  #begun = false;

  constructor(run: (signal: AbortSignal) => Promise<JournalVerdict>) {
    this.#result = Promise.resolve().then(() => run(this.#off.signal));
  }

  get isUnwanted(): boolean {
    return this.#waiting === 0;
  }

  /** Resolves when it is over, however it ended. */
  get ended(): Promise<void> {
    return this.#result.then(
      () => {},
      () => {},
    );
  }

  begin(): void {
    this.#begun = true;
  }

  async join(signal?: AbortSignal): Promise<JournalVerdict> {
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(unwanted(signal?.reason));
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    this.#waiting++;
    try {
      return await Promise.race([left, this.#result]);
    } finally {
      signal?.removeEventListener("abort", leave);
      this.#waiting--;
      if (this.isUnwanted && this.#begun) this.#off.abort(unwanted());
    }
  }
}

/** Places that are taken and given back in the order of asking. */
class Places {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = this.#queue.shift();
        if (next) next();
        else this.#free++;
      },
    };
  }
}

const unwanted = (cause?: unknown) => new HubError("CANCELLED", "Nobody waits for this verification.", { cause });
