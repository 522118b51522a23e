import type { EventRow } from "./event-store.ts";

/** An event as those who follow along are told of it. */
export type FollowedEvent = Pick<EventRow, "type" | "subject" | "data">;

/** What the feed needs of the database. Both throw STORE_UNAVAILABLE. */
export interface EventSource {
  /** Position of the account's last event; -1 where there is none. */
  latest(accountId: string): Promise<number>;
  /** Oldest first. */
  after(accountId: string, position: number, limit: number): Promise<readonly (FollowedEvent & { position: number })[]>;
}

type Tell = (events: readonly FollowedEvent[]) => void;

interface Followed {
  /** Of the last event that was told; undefined until it is known from where to tell. */
  position: number | undefined;
  readonly opened: Promise<void>;
  readonly followers: Set<Tell>;
}

const EVENTS_AT_A_TIME = 200;
/** Between two rounds, so that under load a round brings many events and not a few. */
const PAUSE_MS = 50;
const RETRY_MS = 1_000;

/**
 * Tells those who follow an account of its events, in order and each once, whichever process they come from. It is woken
 * when there may be something new, and reads on from where it was: a wake-up that was missed delays and loses nothing.
 */
export class EventFeed {
  readonly #source: EventSource;
  readonly #report: (error: unknown) => void;
  readonly #accounts = new Map<string, Followed>();
  #rounds: Promise<void> | undefined;
  #again = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(source: EventSource, report: (error: unknown) => void) {
    this.#source = source;
    this.#report = report;
  }

  /** Tells of all events from the moment that this resolves, until the function that it answers with is called. */
  async follow(accountId: string, tell: Tell): Promise<() => void> {
    const followed = this.#accounts.get(accountId) ?? this.#open(accountId);
    followed.followers.add(tell);
    const unfollow = () => {
      followed.followers.delete(tell);
      if (followed.followers.size === 0 && this.#accounts.get(accountId) === followed) this.#accounts.delete(accountId);
    };
    try {
      await followed.opened;
    } catch (error) {
      unfollow();
      throw error;
    }
    return unfollow;
  }

  /** There may be new events, of whatever account. */
  wake(): void {
    this.#again = true;
    if (this.#rounds !== undefined || this.#closed) return;
    this.#rounds = this.#work().finally(() => {
      this.#rounds = undefined;
      if (this.#again) this.wake();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#rounds;
  }

  #open(accountId: string): Followed {
    const latest = this.#source.latest(accountId);
    const followed: Followed = {
      position: undefined,
      opened: latest.then((position) => {
        followed.position = position;
        this.wake(); // what came meanwhile was announced to nobody
      }),
      followers: new Set(),
    };
    this.#accounts.set(accountId, followed);
    return followed;
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        for (const [accountId, followed] of this.#accounts) await this.#tell(accountId, followed);
      } catch (error) {
        this.#report(error);
        this.#retry = setTimeout(() => this.wake(), RETRY_MS).unref();
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #tell(accountId: string, followed: Followed): Promise<void> {
    while (followed.position !== undefined && followed.followers.size > 0 && !this.#closed) {
      const events = await this.#source.after(accountId, followed.position, EVENTS_AT_A_TIME);
      followed.position = events.at(-1)?.position ?? followed.position;
      if (events.length > 0) for (const tell of followed.followers) tell(events);
      if (events.length < EVENTS_AT_A_TIME) return;
    }
  }
}
