import type { Journal, Spend } from "../action/journal.ts";
import { crashPoint } from "../config/crash-point.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import type { OutcomeDraft, StagedOutcome } from "../domain/evidence/receipt-store.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { HubError } from "../errors.ts";
import { Backlog, isRecorded, newEntry, stagedEntry } from "./backlog.ts";
import { buildIntent, buildOutcome, lacksPlace, PENDING } from "./build-receipt.ts";
import { EntryRefused, EpochOver } from "./epoch-writer.ts";
import type { Epochs } from "./epochs.ts";
import type { NewEntry } from "./group-commit.ts";
import type { JournalLog } from "./journal-log.ts";
import type { EntryFacts, JournalStore } from "./journal-store.ts";
import { isSealed, sealOutcome } from "./outcome-seal.ts";
import { WaitingRoom, type WaitingRoomLimits } from "./waiting-room.ts";

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
   * Sequences an outcome that another process left behind; false where no hub staged it: it is not sequenced then. Throws
   * KEY_SERVICE_UNREACHABLE where that cannot be told now.
   */
  recover(staged: StagedOutcome): Promise<boolean>;
  /** For a call that was cut off: records that nobody knows how it ended. `intent`: hex SHA-256 of its intent's statement. */
  ambiguous(record: CallRecord, intent: string): Promise<void>;
  /**
   * Opens an epoch where none is open, and closes former ones that no call belongs to any more. The sweeper calls it.
   * Throws JOURNAL_UNAVAILABLE.
   */
  tend(): Promise<void>;
  status(): JournalStatus;
  /** Writes what waits, then closes the epoch. Entries that come later are refused with DRAINING. */
  close(): Promise<void>;
}

export interface LaneJournalOptions extends WaitingRoomLimits {
  readonly epochs: Epochs;
  readonly store: JournalStore;
  readonly keys: KeyService;
  readonly log: JournalLog;
  readonly now: () => Date;
}

const SEQUENCE_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;

/** The journal that the gate writes to. */
export class LaneJournal implements OpenJournal {
  readonly #options: LaneJournalOptions;
  readonly #backlog: Backlog;
  /** Digests of the intents whose calls are under way: an outcome names its intent. */
  readonly #intents = new Map<string, string>();
  readonly #waiting: WaitingRoom;
  #closing = false;

  constructor(options: LaneJournalOptions) {
    this.#options = options;
    this.#waiting = new WaitingRoom(options);
    const onSettled = (callId: string, bytes: number) => this.#settle(callId, bytes);
    this.#backlog = new Backlog({ ...options, onSettled });
  }

  async intent(record: CallRecord, spend?: Spend): Promise<void> {
    crashPoint("before-intent", record.action);
    if (spend !== undefined) requireUuid(spend);
    const at = this.#options.now();
    const facts = factsOf(record, "intent", PENDING, at);
    const statement = buildIntent(record, at);
    const bytes = Buffer.byteLength(statement);
    this.#admit(bytes);
    try {
      const digest = await this.#append({ ...facts, statement, staged: false, ...(spend && { spend }) }, true);
      this.#intents.set(record.callId, digest);
    } catch (error) {
      this.#recordRefusal(record, error);
      throw refusalOf(error);
    } finally {
      this.#waiting.leave(bytes);
    }
    crashPoint("after-intent", record.action);
  }

  async stage(record: CallRecord, outcome: CallOutcome): Promise<StagedOutcome> {
    if (this.#intents.has(record.callId)) crashPoint("during-execution", record.action);
    return sealOutcome(this.#options.keys, this.#draft(record, outcome));
  }

  async recover(staged: StagedOutcome): Promise<boolean> {
    if (!(await isSealed(this.#options.keys, staged))) return false;
    await this.sequence(staged);
    return true;
  }

  async sequence(staged: StagedOutcome): Promise<void> {
    if (this.#intents.has(staged.callId)) crashPoint("after-effect", staged.action);
    if (!lacksPlace(staged.statement))
      throw new HubError("INTERNAL", "A staged outcome is no statement of the journal's.");
    const entry = stagedEntry(staged);
    const bytes = Buffer.byteLength(staged.statement);
    // never refused for want of room: the effect has happened
    this.#waiting.enter(bytes);
    for (let attempt = 1, pause = FIRST_PAUSE_MS; ; attempt++, pause *= 2) {
      try {
        await this.#append(entry, true);
        return this.#settle(entry.callId, bytes);
      } catch (error) {
        if (isRecorded(error)) return this.#settle(entry.callId, bytes);
        if (attempt === SEQUENCE_ATTEMPTS || this.#closing) {
          this.#backlog.keep(entry, error);
          const message = "The change was made. The journal cannot be written now, and will say so as soon as it can.";
          throw new HubError("JOURNAL_UNAVAILABLE", message, { details: { effect: "committed" }, cause: error });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  outcome(record: CallRecord, outcome: CallOutcome): Promise<void> {
    return this.#writeOutcome(this.#draft(record, outcome));
  }

  ambiguous(record: CallRecord, intent: string): Promise<void> {
    return this.#writeOutcome(this.#draft(record, { code: "AMBIGUOUS", at: this.#options.now() }, intent));
  }

  note(record: CallRecord, outcome: CallOutcome): void {
    const entry = newEntry(this.#draft(record, outcome));
    const bytes = Buffer.byteLength(entry.statement);
    this.#admit(bytes);
    this.#append(entry, false).then(
      () => this.#settle(entry.callId, bytes),
      (error: unknown) => this.#backlog.keep(entry, error),
    );
  }

  abandon(record: CallRecord, outcome: CallOutcome): void {
    const draft = this.#draft(record, outcome);
    this.#waiting.enter(Buffer.byteLength(draft.statement));
    this.#backlog.giveUp(draft);
  }

  async epoch(): Promise<number> {
    try {
      return (await this.#options.epochs.current()).no;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  async tend(): Promise<void> {
    await this.epoch();
    await this.#options.epochs.retire();
  }

  status(): JournalStatus {
    const { newest, retiring } = this.#options.epochs;
    const open = newest !== undefined && !newest.over && !this.#closing;
    const { no = 0, lanes = 0, commits = 0 } = newest ?? {};
    return { epoch: no, open, waiting: this.#waiting.entries, lanes, commits, retiring };
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    // entries that fail here are kept, so that the backlog comes after them
    await this.#options.epochs.newest?.drain();
    await this.#backlog.stop();
    await this.#options.epochs.close();
  }

  #draft(record: CallRecord, outcome: CallOutcome, intent = this.#intents.get(record.callId)): OutcomeDraft {
    const epoch = this.#options.epochs.newest;
    if (epoch === undefined) throw new Error("cannot happen: a journal without an epoch");
    const { phase: _, ...facts } = factsOf(record, "outcome", outcome.code, outcome.at);
    return { ...facts, epoch: epoch.no, statement: buildOutcome(record, outcome, intent) };
  }

  async #writeOutcome(outcome: OutcomeDraft): Promise<void> {
    const bytes = Buffer.byteLength(outcome.statement);
    this.#admit(bytes);
    try {
      await this.#append(newEntry(outcome), true);
    } catch (error) {
      if (isRecorded(error)) this.#settle(outcome.callId, bytes);
      else this.#backlog.giveUp(outcome);
      throw refusalOf(error);
    }
    this.#settle(outcome.callId, bytes);
  }

  /** The call ends here, and its caller is told so: that is recorded once the journal can be written again. */
  #recordRefusal(record: CallRecord, error: unknown): void {
    if (error instanceof EntryRefused) return; // clearly not written, which is for the caller to record
    const draft = this.#draft(record, { code: refusalOf(error).code, at: this.#options.now() });
    this.#waiting.enter(Buffer.byteLength(draft.statement));
    const inDoubt = error instanceof EpochOver && error.inCommit !== undefined;
    if (inDoubt) this.#backlog.giveUp(draft);
    else this.#backlog.keep(newEntry(draft), error);
  }

  #admit(bytes: number): void {
    if (this.#closing) throw new HubError("DRAINING", "The hub is stopping: its journal takes no further entries.");
    this.#waiting.admit(bytes);
  }

  /** A call's outcome is durable, or recorded by somebody else: nobody asks for its intent any more. */
  #settle(callId: string, bytes: number): void {
    this.#waiting.leave(bytes);
    this.#intents.delete(callId);
  }

  async #append(entry: NewEntry, awaited: boolean): Promise<string> {
    const { epochs } = this.#options;
    const writer = epochs.usable() ?? (await epochs.current());
    return writer.append(entry, awaited);
  }
}

function factsOf(record: CallRecord, phase: "intent" | "outcome", code: string, at: Date): EntryFacts {
  const { accountId, callId, action, principal } = record;
  return { accountId, callId, phase, action, principalId: principal?.id, code, at };
}

function refusalOf(error: unknown): HubError {
  if (error instanceof HubError && error.code !== "STORE_UNAVAILABLE") return error;
  const cause = error;
  if (error instanceof EntryRefused && error.refusal === "spent") {
    return new HubError("APPROVAL_SPENT", "What this call rests on was used before, or has expired.", { cause });
  }
  if (error instanceof EntryRefused) {
    return new HubError("CONFLICT", `The journal has an entry of this call already (${error.refusal}).`, { cause });
  }
  if (error instanceof EpochOver && error.fenced) {
    const message = "Another process took this one for dead and closed its lanes. Nothing was recorded: call again.";
    return new HubError("LANE_LOST", message, { cause });
  }
  const message = "The journal cannot be written now: the call is refused, since it could not be recorded.";
  return new HubError("JOURNAL_UNAVAILABLE", message, { cause });
}

function requireUuid({ id }: Spend): void {
  if (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id)) return;
  throw new HubError("APPROVAL_SPENT", "What this call rests on is no approval and no confirmation of this hub's.");
}
