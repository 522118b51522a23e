import type { Journal } from "../action/journal.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { Epochs } from "./epochs.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore } from "./journal-store.ts";
import { LaneJournal } from "./lane-journal.ts";

export interface JournalOptions {
  readonly store: JournalStore;
  readonly keys: KeyService;
  /** The hub's public id: it is part of every lane's name. */
  readonly hubId: string;
  readonly log: JournalLog;
  /** Accounts whose lanes have grown, after each commit. */
  readonly onCommitted?: (accountIds: readonly string[]) => void;
  /** Entries that may wait at a time; more are refused. Default 4096. */
  readonly maxWaiting?: number;
  /** How long a process key counts; a new one is made at half of it. Default 24 hours. */
  readonly keyValidityMs?: number;
  readonly now?: () => Date;
}

export interface JournalStatus {
  /** The epoch that is written in, or was last. */
  readonly epoch: number;
  /** Whether entries can be written, as far as is known. */
  readonly open: boolean;
  /** Entries that are not durable yet. */
  readonly waiting: number;
  /** Lanes and commits of this epoch. */
  readonly lanes: number;
  readonly commits: number;
  /** Former epochs of this process that calls under way still belong to. */
  readonly retiring: readonly number[];
}

export interface OpenJournal extends Journal {
  /**
   * The effect's transaction ended in an unknown way. Finds out in the background: if it did commit, its own outcome is
   * sequenced, else this one.
   */
  abandon(record: CallRecord, outcome: CallOutcome): void;
  /** For a call that was cut off: records that nobody knows how it ended. `intent`: hex SHA-256 of its intent's statement. */
  ambiguous(record: CallRecord, intent: string): Promise<void>;
  /** Closes former epochs of this process that no call belongs to any more. The sweeper calls it. */
  retire(): Promise<void>;
  status(): JournalStatus;
  /** Writes what waits, then closes the epoch. Entries that come later are refused with DRAINING. */
  close(): Promise<void>;
}

const DAY_MS = 24 * 3_600_000;

/** Opens the journal and its first epoch. Throws JOURNAL_UNAVAILABLE. */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { store, keys, hubId, log, maxWaiting = 4_096, keyValidityMs = DAY_MS } = options;
  const now = options.now ?? (() => new Date());
  const onCommitted = options.onCommitted ?? (() => {});
  const epochs = new Epochs({ store, keys, hubId, log, onCommitted, keyValidityMs, now });
  const journal = new LaneJournal({ epochs, store, log, maxWaiting, now });
  await journal.epoch();
  return journal;
}
