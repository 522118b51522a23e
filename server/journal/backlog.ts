import type { OutcomeDraft } from "../domain/evidence/receipt-store.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { HubError } from "../errors.ts";
import { EntryRefused, EpochOver } from "./epoch-writer.ts";
import type { Epochs } from "./epochs.ts";
import type { NewEntry } from "./group-commit.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore } from "./journal-store.ts";
import { isSealed, sealOutcome } from "./outcome-seal.ts";

/** An entry that could not be written and must not be lost. */
interface Kept {
  readonly entry: NewEntry;
  /** As many as its outcome was let in with. */
  readonly bytes: number;
  /** The commit that may have held it. */
  readonly doubt?: { readonly epoch: number; readonly commit: number };
}

export interface BacklogOptions {
  readonly epochs: Epochs;
  readonly store: JournalStore;
  readonly keys: KeyService;
  readonly log: JournalLog;
  /** The entry is durable, or somebody else recorded how its call ended. */
  readonly onSettled: (callId: string, bytes: number) => void;
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
  #givenUp: OutcomeDraft[] = [];
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
  keep(entry: NewEntry, error: unknown, bytes = Buffer.byteLength(entry.statement)): void {
    if (isRecorded(error)) return this.#options.onSettled(entry.callId, bytes);
    if (isKeyless(error)) return this.#drop(entry.callId, bytes, error);
    const doubt = error instanceof EpochOver && error.inCommit !== undefined;
    this.#kept.push({ entry, bytes, ...(doubt && { doubt: { epoch: error.epoch, commit: error.inCommit } }) });
    this.#workSoon();
  }

  /** Takes an outcome for a call of which nobody knows what the database holds. */
  giveUp(outcome: OutcomeDraft): void {
    this.#givenUp.push(outcome);
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
    for (const outcome of this.#givenUp.splice(0)) {
      const { callId } = outcome;
      const bytes = Buffer.byteLength(outcome.statement);
      try {
        const entry = await this.#endCall({ ...outcome, epoch: no });
        if (entry === undefined) this.#options.onSettled(callId, bytes);
        else this.#kept.push({ entry, bytes });
      } catch (err) {
        if (isKeyless(err)) {
          this.#drop(callId, bytes, err);
          continue;
        }
        this.#givenUp.push(outcome);
        this.#options.log.warn({ err, callId }, "a call that was given up could not be ended yet");
      }
    }
  }

  /** The entry that stands for the call; undefined where its outcome is recorded already. */
  async #endCall(outcome: OutcomeDraft): Promise<NewEntry | undefined> {
    const { store, keys, log } = this.#options;
    const standing = await store.giveUp(await sealOutcome(keys, outcome));
    if (standing === undefined || (await isSealed(keys, standing))) return standing && stagedEntry(standing);
    // somebody wrote a row in the call's name: the effect could not commit beside it
    log.error({ accountId: outcome.accountId, callId: outcome.callId }, FORGED);
    return newEntry(outcome);
  }

  /** No key, no lane: waiting would only take the place of entries that can be written. */
  #drop(callId: string, bytes: number, err: unknown): void {
    this.#options.log.error({ err, callId }, "an outcome cannot be recorded");
    this.#options.onSettled(callId, bytes);
  }

  async #writeKept(): Promise<void> {
    const writer = await this.#options.epochs.current();
    const writes = this.#kept.splice(0).map(async ({ entry, bytes, doubt }) => {
      const commits = doubt && this.#options.epochs.finalCommits(doubt.epoch);
      if (doubt && commits === undefined) this.#kept.push({ entry, bytes, doubt });
      else if (doubt && commits !== undefined && commits >= doubt.commit) this.#options.onSettled(entry.callId, bytes);
      else
        await writer.append(entry, true).then(
          () => this.#options.onSettled(entry.callId, bytes),
          (error: unknown) => this.keep(entry, error, bytes),
        );
    });
    await Promise.all(writes);
  }
}

/** Whether an entry failed because the call has its outcome: a commit in doubt did happen, or another process wrote it. */
export function isRecorded(error: unknown): boolean {
  return error instanceof EntryRefused && (error.refusal === "duplicate" || error.refusal === "unstaged");
}

function isKeyless(error: unknown): boolean {
  return error instanceof HubError && error.code === "KEY_NOT_FOUND";
}

/** What the log says of a staged row that no hub staged. */
export const FORGED = "a staged outcome does not bear this hub's seal: it is not sequenced";

/** An outcome of which no row waits, as an entry. */
export function newEntry({ accountId, callId, action, principalId, code, at, statement }: OutcomeDraft): NewEntry {
  return { accountId, callId, phase: "outcome", action, principalId, code, at, statement, staged: false };
}

/** A staged outcome as an entry. */
export function stagedEntry(outcome: OutcomeDraft): NewEntry {
  return { ...newEntry(outcome), staged: true };
}
