import type { KeyService } from "../domain/keys/key-service.ts";
import { Epochs } from "./epochs.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore } from "./journal-store.ts";
import { LaneJournal, type OpenJournal } from "./lane-journal.ts";

export type { OpenJournal } from "./lane-journal.ts";

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
  /** Bytes of their statements, likewise. Default 32 MiB. */
  readonly maxWaitingBytes?: number;
  /** How long a process key counts; a new one is made at half of it. Default 24 hours. */
  readonly keyValidityMs?: number;
  readonly now?: () => Date;
}

const DAY_MS = 24 * 3_600_000;

/** Opens the journal and its first epoch. Throws JOURNAL_UNAVAILABLE. */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { store, keys, hubId, log, keyValidityMs = DAY_MS } = options;
  const { maxWaiting = 4_096, maxWaitingBytes = 32 * 1024 * 1024 } = options;
  const now = options.now ?? (() => new Date());
  const onCommitted = options.onCommitted ?? (() => {});
  const epochs = new Epochs({ store, keys, hubId, log, onCommitted, keyValidityMs, now });
  const journal = new LaneJournal({ epochs, store, keys, log, maxWaiting, maxWaitingBytes, now });
  await journal.epoch();
  return journal;
}
