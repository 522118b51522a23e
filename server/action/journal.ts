import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";

/** What an intent uses up, in the same transaction: an approved request, or a confirmation's one-time id. */
export interface Spend {
  readonly kind: "approval" | "confirmation";
  readonly id: string;
}

/**
 * The journal as the gate needs it. Entries of one account by one process form a lane; who awaits an entry gets it
 * durable, sequenced and signed. Throws JOURNAL_FULL (too many entries wait), JOURNAL_UNAVAILABLE (the database does
 * not answer), LANE_LOST (another process closed this one's lanes; the next call opens new ones).
 */
export interface Journal {
  /** Before a change starts. Resolves when durable. Throws APPROVAL_SPENT where `spend` was used before or has expired. */
  intent(record: CallRecord, spend?: Spend): Promise<void>;
  /** The outcome as a row for the effect's own transaction (`tx.outcomes.stage`): it has no sequence number yet. */
  stage(record: CallRecord, outcome: CallOutcome): Promise<StagedOutcome>;
  /** After the effect's commit: sequences, chains and signs what was staged. Survives the loss of a lane. */
  sequence(staged: StagedOutcome): Promise<void>;
  /** An outcome without an effect (the handler refused or failed). Resolves when durable. */
  outcome(record: CallRecord, outcome: CallOutcome): Promise<void>;
  /**
   * The effect's transaction ended in an unknown way. Finds out in the background: if it did commit, its own outcome is
   * sequenced, else this one.
   */
  abandon(record: CallRecord, outcome: CallOutcome): void;
  /** Reads and refusals: one outcome, grouped, durable within a second, not waited for. */
  note(record: CallRecord, outcome: CallOutcome): void;
  /** The epoch that this process writes in now: who claims something for a running call names it. */
  epoch(): Promise<number>;
}
