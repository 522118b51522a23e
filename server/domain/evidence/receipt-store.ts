import type { PortableProof } from "../../../contracts/formats/receipt-proof.ts";
import type { KeyedHash } from "../keys/key-service.ts";
import type { Page, PageRequest } from "../page.ts";

export const PHASES = ["intent", "outcome"] as const;
export type Phase = (typeof PHASES)[number];

/** One sequenced entry. Its id is `<call id>.<phase>`: a call has one intent and one outcome, never two. */
export interface ReceiptRow {
  readonly id: string;
  readonly callId: string;
  readonly phase: Phase;
  readonly action: string;
  readonly principalId: string | undefined;
  readonly code: string;
  readonly at: Date;
  /** Place in the account's log, assigned by the integrator after commit. */
  readonly position: number;
}

export interface ReceiptFilter {
  readonly action?: string | undefined;
  readonly principalId?: string | undefined;
  readonly callId?: string | undefined;
  readonly code?: string | undefined;
}

export interface ReceiptReader {
  /** Newest first by position; the cursor is a position. */
  list(filter: ReceiptFilter, page: PageRequest): Promise<Page<ReceiptRow>>;
  /** A receipt with what proves it, offline. Throws NOT_FOUND. */
  prove(receiptId: string): Promise<PortableProof>;
}

/** An outcome without a place in a lane. */
export interface OutcomeDraft {
  readonly accountId: string;
  readonly callId: string;
  readonly epoch: number;
  readonly action: string;
  readonly principalId: string | undefined;
  readonly code: string;
  readonly at: Date;
  /** Canonical statement whose `lane` is still null. */
  readonly statement: string;
}

/** An outcome that commits with its effect and is sequenced afterwards. */
export interface StagedOutcome extends OutcomeDraft {
  /** Under the account's key `mac`: who can only write the row cannot make it, and what has none is never sequenced. */
  readonly seal: KeyedHash;
}

export interface OutcomeWriter {
  /**
   * The transaction's last statement. Where the writing process has been declared dead meanwhile, the effect does not
   * commit: the transaction throws LANE_LOST.
   */
  stage(outcome: StagedOutcome): void;
}
