import type { ErrorCode } from "../../errors.ts";

/**
 * What every journal entry of one call commits to, fixed before the call runs. Digests are salted commitments
 * (contracts/formats/commitment.ts): a reader of the journal cannot test a guess against them.
 */
export interface CallRecord {
  readonly callId: string;
  readonly accountId: string;
  /** The action's name, or `door` for what was refused before an action was known. */
  readonly action: string;
  /** Hex SHA-256 of the action's canonical schema; empty where no action was known. */
  readonly schemaDigest: string;
  /** Absent where nobody was identified. */
  readonly principal?: { readonly id: string; readonly kind: "operator" | "agent" | "service" };
  readonly channel: string;
  /** Hex commitment to the canonical input; absent where the input could not be parsed. */
  readonly input?: string;
  readonly policy?: { readonly version: number; readonly hash: string; readonly decidedBy: readonly string[] };
  readonly approval?: ApprovalRecord;
  readonly target?: { readonly type: string; readonly id: string; readonly version?: string };
  /** Ties calls of one job together: the agent's run, as the client names it. */
  readonly runId?: string;
  /** W3C trace id (32 hex digits). */
  readonly traceId?: string;
}

/** Under whose agreement a call ran. `solo` never counts as two people. */
export interface ApprovalRecord {
  readonly requestId: string;
  readonly profile: "solo" | "team";
  readonly demand: string;
  readonly decisions: readonly {
    readonly personId: string;
    readonly assurance: "signed" | "hub-attested";
    readonly keyId?: string;
    /** Hex SHA-256 of the decision's DSSE envelope. */
    readonly envelope?: string;
  }[];
}

/** A thing of which the journal holds what the last change left: so an old one that is put back is noticed. */
export interface LeftBehind {
  readonly type: string;
  readonly id: string;
  /** Grows with every change. */
  readonly version: number;
  /** Hexadecimal, or a word such as `deleted`. */
  readonly digest: string;
}

/** How a call ended. */
export interface CallOutcome {
  /** REPLAYED: answered from an earlier call with the same idempotency key. */
  readonly code: "OK" | "REPLAYED" | ErrorCode;
  /** Hex commitment to the canonical output, with the call's salt. */
  readonly output?: string;
  /** What the call left of things that the journal vouches for; absent where there is none. */
  readonly left?: readonly LeftBehind[];
  /** The request that a call waits for, where code is APPROVAL_PENDING. */
  readonly approvalRequestId?: string;
  readonly at: Date;
}
