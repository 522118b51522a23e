import type { SubtreeRoot } from "../domain/evidence/lane-tree.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";

/** What the journal needs of the database. server/adapters/postgres/journal-store.ts has it. */
export interface JournalStore {
  /** A session of the writer's own: for as long as it lives, the epochs that it opened are known to be alive. */
  connect(): Promise<WriterSession>;
  /** Ends an epoch for entries; answers with the number of its commits, which is final then. */
  fence(epoch: number): Promise<number>;
  /** Closes an epoch of one's own that was moved on from, if no call of it is under way any more. */
  retire(epoch: number): Promise<boolean>;
  /**
   * Ends a call whose effect did not commit: stages this outcome for it (unless a row is there), frees its idempotency key, and fails the approved
   * request that it was executing. Waits where the effect is committing just now. Answers with the outcome that stands, the
   * effect's own where it did commit; undefined where the call's outcome is recorded already. Whose row it is, its seal tells.
   */
  giveUp(outcome: StagedOutcome): Promise<StagedOutcome | undefined>;
}

export interface WriterSession {
  /** Answers with the epoch's number. The session keeps the epoch alive. */
  open(epoch: { id: string; publicKey: Buffer; keyExpiresAt: Date }): Promise<number>;
  /** Keeps an epoch alive that a former session opened. False where somebody else holds it, or has begun to close it. */
  resume(epoch: number): Promise<boolean>;
  /**
   * One group commit: all of it is durable, or none. A refusal is certain to have changed nothing; anything thrown leaves
   * open whether it did.
   */
  append(commit: GroupCommit): Promise<"done" | Refusal>;
  /** Called once, when the session is lost. */
  onLost(listener: (cause: unknown) => void): void;
  close(): Promise<void>;
}

/**
 * `fenced`: the epoch is over. `spent`: an approval or confirmation was used before. `duplicate`: a call has this entry
 * already. `unstaged`: somebody else sequenced a staged outcome. `conflict`: another transaction was in the way.
 */
export type Refusal = "fenced" | "spent" | "duplicate" | "unstaged" | "conflict";

export interface GroupCommit {
  readonly epoch: number;
  /** Counts from 1 in each epoch. */
  readonly no: number;
  readonly note: string;
  readonly lanes: readonly LaneStep[];
  readonly entries: readonly LaneEntry[];
}

/** How one lane moves in a commit. */
export interface LaneStep {
  readonly accountId: string;
  /** For a lane that this commit opens. */
  readonly certificate?: string;
  readonly from: number;
  readonly to: number;
  /** SHA-256 of the newest statement. */
  readonly head: Buffer;
  readonly root: Buffer;
  /** RFC 6962 path of the lane in the commit. */
  readonly path: readonly Buffer[];
  readonly nodes: readonly SubtreeRoot[];
}

/** What lists of receipts filter by, beside the statement. */
export interface EntryFacts {
  readonly accountId: string;
  readonly callId: string;
  readonly phase: "intent" | "outcome";
  readonly action: string;
  readonly principalId: string | undefined;
  readonly code: string;
  readonly at: Date;
}

export interface LaneEntry extends EntryFacts {
  readonly sequence: number;
  readonly statement: Buffer;
  /** The outcome waits as a row that this commit takes away. */
  readonly staged: boolean;
  readonly spend?: { readonly kind: "approval" | "confirmation"; readonly id: string };
}
