import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { HubError } from "../errors.ts";
import { EntryRefused, EpochOver } from "./epoch-writer.ts";
import type { Epochs } from "./epochs.ts";
import type { NewEntry } from "./group-commit.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore } from "./journal-store.ts";

/** An entry that could not be written and must not be lost. */
interface Kept {
  readonly entry: NewEntry;
  /** The commit that may have held it. */
  readonly doubt?: { readonly epoch: number; readonly commit: number };
}

export interface BacklogOptions {
  readonly epochs: Epochs;
  readonly store: JournalStore;
  readonly log: JournalLog;
  /** The entry is durable, or somebody else recorded how its call ended. */
  readonly onSettled: (callId: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Outcomes that nobody waits for any more, until the database takes them. None is written twice: of a commit in doubt the
 * number of commits of its epoch tells, once that is final, whether it happened.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #kept: Kept[] = [];
  #givenUp: StagedOutcome[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.length + this.#givenUp.length;
  }

  /** Takes an entry that failed with `error`. */
  keep(entry: NewEntry, error: unknown): void {
    if (isRecorded(error)) return this.#options.onSettled(entry.callId);
    if (error instanceof HubError && error.code === "KEY_NOT_FOUND") {
      // no key, no lane: waiting would only take the place of entries that can be written
      this.#options.log.error({ err: error, callId: entry.callId }, "an outcome cannot be recorded");
      return this.#options.onSettled(entry.callId);
    }
    const doubt = error instanceof EpochOver && error.inCommit !== undefined;
    this.#kept.push({ entry, ...(doubt && { doubt: { epoch: error.epoch, commit: error.inCommit } }) });
    this.#workSoon();
  }

  /** Takes an outcome for a call of which nobody knows what the database holds. */
  giveUp(staged: StagedOutcome): void {
    this.#givenUp.push(staged);
    this.#workSoon();
  }

  /** Tries once more, and no further. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#working;
    await this.#work();
    if (this.size > 0) this.#options.log.error({ entries: this.size }, "the journal ends with outcomes unwritten");
  }

  #workSoon(): void {
    if (this.#stopped || this.#timer !== undefined || this.#working !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#work().finally(() => {
        this.#working = undefined;
        if (this.size > 0) this.#workSoon();
      });
    }, this.#pauseMs);
  }

  async #work(): Promise<void> {
    if (this.size === 0) return;
    try {
      await this.#options.epochs.current();
      await this.#endGivenUp();
      await this.#writeKept();
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (err) {
      this.#options.log.warn({ err, entries: this.size }, "the journal cannot be written yet");
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** What stands for each call is written with the rest. One call that cannot be ended keeps none of the others back. */
  async #endGivenUp(): Promise<void> {
    const { no } = await this.#options.epochs.current();
    for (const staged of this.#givenUp.splice(0)) {
      try {
        const standing = await this.#options.store.giveUp({ ...staged, epoch: no });
        if (standing === undefined) this.#options.onSettled(staged.callId);
        else this.#kept.push({ entry: entryOf(standing) });
      } catch (err) {
        this.#givenUp.push(staged);
        this.#options.log.warn({ err, callId: staged.callId }, "a call that was given up could not be ended yet");
      }
    }
  }

  async #writeKept(): Promise<void> {
    const writer = await this.#options.epochs.current();
    const writes = this.#kept.splice(0).map(async ({ entry, doubt }) => {
      const commits = doubt && this.#options.epochs.finalCommits(doubt.epoch);
      if (doubt && commits === undefined) this.#kept.push({ entry, doubt });
      else if (doubt && commits !== undefined && commits >= doubt.commit) this.#options.onSettled(entry.callId);
      else
        await writer.append(entry, true).then(
          () => this.#options.onSettled(entry.callId),
          (error: unknown) => this.keep(entry, error),
        );
    });
    await Promise.all(writes);
  }
}

/** Whether an entry failed because the call has its outcome: a commit in doubt did happen, or another process wrote it. */
export function isRecorded(error: unknown): boolean {
  return error instanceof EntryRefused && (error.refusal === "duplicate" || error.refusal === "unstaged");
}

/** A staged outcome as an entry. */
export function entryOf({ statement, epoch: _, ...facts }: StagedOutcome): NewEntry {
  return { ...facts, phase: "outcome", statement, staged: true };
}
