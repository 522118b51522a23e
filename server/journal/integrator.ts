import type { JournalLog } from "./journal-log.ts";
import { repeat } from "./repeat.ts";

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
  stop(): Promise<void>;
}

const ACCOUNTS_AT_A_TIME = 50;
const ENTRIES_AT_A_TIME = 1_000;
/** Between two rounds, so that under load a round brings many receipts and not a few. */
const PAUSE_MS = 20;

/**
 * Puts sequenced receipts into their account's log, in one order that only grows at its end, and gives events their
 * positions. Each account's log is leased in the database for a round, so that any number of hubs may do this.
 */
export function startIntegrator({ store, log, everyMs = 1_000 }: IntegratorOptions): Integrator {
  const due = new Set<string>();
  let round: Promise<void> | undefined;
  let stopped = false;

  const work = async () => {
    while (due.size > 0 && !stopped) {
      const accounts = [...due].slice(0, ACCOUNTS_AT_A_TIME);
      for (const account of accounts) due.delete(account);
      let more: string[];
      try {
        more = await store.integrate(accounts, ENTRIES_AT_A_TIME);
      } catch (error) {
        for (const account of accounts) due.add(account); // the next look, or kick, tries again
        throw error;
      }
      for (const account of more) due.add(account);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const start = (): Promise<void> => {
    round ??= work().finally(() => {
      round = undefined;
    });
    return round;
  };
  const onError = (err: unknown) => log.warn({ err, accounts: due.size }, "the integrator failed; it tries again");
  const look = repeat(
    async () => {
      for (const account of await store.unintegrated()) due.add(account);
      await start();
      await store.finishEpochs();
    },
    { everyMs, onError },
  );
  return {
    kick(accountIds) {
      for (const account of accountIds) due.add(account);
      if (round === undefined && !stopped) start().catch(onError);
    },
    async settled() {
      while (due.size > 0 || round !== undefined) await start();
    },
    async stop() {
      stopped = true;
      await look.stop();
      await round?.catch(() => {});
    },
  };
}
