import type { JournalLog } from "./journal-log.ts";
import { type Repeating, repeat } from "./repeat.ts";

/** What the integrator needs of the database. */
export interface IntegrationStore {
  /**
   * Gives receipts and events of these accounts their places in the accounts' logs, at most so many each. Answers with the
   * accounts that have more.
   */
  integrate(accountIds: readonly string[], most: number): Promise<string[]>;
  /** Accounts, of any hub's making, that have receipts or events without a place. */
  unintegrated(): Promise<string[]>;
  /** Marks closed epochs whose receipts all have their places, so that nobody looks at them again. */
  finishEpochs(): Promise<void>;
}

export interface IntegratorOptions {
  readonly store: IntegrationStore;
  readonly log: JournalLog;
  /** How often to look for what other processes left; what this one writes is told by `kick`. */
  readonly everyMs?: number;
}

export interface Integrator {
  /** Lanes or events of these accounts have grown. */
  kick(accountIds: Iterable<string>): void;
  /** Resolves when everything told until now has its place. Rejects with what the last round failed with. */
  settled(): Promise<void>;
  /** Takes one last round for each account that has grown, so that a hub that stops leaves none of its receipts without a place. */
  stop(): Promise<void>;
}

const ACCOUNTS_AT_A_TIME = 50;
const ENTRIES_AT_A_TIME = 1_000;
/** Between two rounds, so that under load a round brings many receipts and not a few. */
const PAUSE_MS = 50;

/**
 * Puts sequenced receipts into their account's log, in one order that only grows at its end, and gives events their
 * positions. Each account's log is leased in the database for a round, so that any number of hubs may do this.
 */
export function startIntegrator(options: IntegratorOptions): Integrator {
  return new LogIntegrator(options);
}

class LogIntegrator implements Integrator {
  readonly #store: IntegrationStore;
  readonly #log: JournalLog;
  readonly #look: Repeating;
  readonly #due = new Set<string>();
  #rounds: Promise<void> | undefined;
  #stopped = false;

  constructor({ store, log, everyMs = 1_000 }: IntegratorOptions) {
    this.#store = store;
    this.#log = log;
    this.#look = repeat(() => this.#lookAround(), { everyMs, onError: (err) => this.#complain(err) });
  }

  kick(accountIds: Iterable<string>): void {
    for (const account of accountIds) this.#due.add(account);
    if (this.#rounds === undefined && !this.#stopped) this.#start().catch((err: unknown) => this.#complain(err));
  }

  async settled(): Promise<void> {
    while (this.#due.size > 0 || this.#rounds !== undefined) await this.#start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#look.stop();
    await this.#rounds?.catch(() => {});
    await this.#start().catch((err: unknown) => this.#complain(err));
  }

  async #lookAround(): Promise<void> {
    for (const account of await this.#store.unintegrated()) this.#due.add(account);
    await this.#start();
    await this.#store.finishEpochs();
  }

  #start(): Promise<void> {
    this.#rounds ??= this.#work().finally(() => {
      this.#rounds = undefined;
    });
    return this.#rounds;
  }

  async #work(): Promise<void> {
    while (this.#due.size > 0) {
      const accounts = [...this.#due].slice(0, ACCOUNTS_AT_A_TIME);
      for (const account of accounts) this.#due.delete(account);
      try {
        const unfinished = await this.#store.integrate(accounts, ENTRIES_AT_A_TIME);
        if (!this.#stopped) for (const account of unfinished) this.#due.add(account); // or else another hub, or the next start
      } catch (error) {
        for (const account of accounts) this.#due.add(account); // the next look, or kick, tries again
        throw error;
      }
      if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  #complain(err: unknown): void {
    this.#log.warn({ err, accounts: this.#due.size }, "the integrator failed; it tries again");
  }
}
