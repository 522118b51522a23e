import type { Preview } from "../domain/approvals/preview.ts";
import type { ApprovalRecord } from "../domain/evidence/call-record.ts";
import type { PendingApproval } from "./action-request.ts";
import type { Caller } from "./caller.ts";
import type { Channel } from "./risk.ts";
import type { Transaction } from "./store.ts";
import type { Target } from "./target.ts";

/** What a call needs before it may run. `people` is 0 for auto and confirm. */
export interface Demand {
  readonly kind: "auto" | "confirm" | "approve" | "forbid";
  readonly people: 0 | 1 | 2;
  /** Permissions that the approvers must hold, one approver each; empty: system.approval.decide. */
  readonly holding: readonly string[];
  /** Ids of the intervention rules that asked for it; empty: the action's own risk did. */
  readonly rules: readonly string[];
}

/** Everything a request for approval is bound to. */
export interface Ask {
  readonly caller: Caller;
  readonly channel: Channel;
  readonly now: Date;
  readonly action: string;
  readonly schemaDigest: string;
  /** Canonical JSON of the parsed input: what will be executed. */
  readonly canonicalInput: string;
  readonly inputMac: Buffer;
  readonly salt: Buffer;
  /** Hex commitment to canonicalInput with salt. */
  readonly inputCommitment: string;
  readonly demand: Demand;
  readonly target: Target;
  readonly preview: Preview;
  readonly idempotencyKey?: string;
  readonly runId?: string;
  readonly traceId?: string;
}

/** An approved request on its way to execution, its held input opened. */
export interface HeldCall {
  readonly requestId: string;
  readonly accountId: string;
  readonly requesterId: string;
  readonly action: string;
  readonly schemaDigest: string;
  readonly canonicalInput: string;
  readonly salt: Buffer;
  readonly channel: Channel;
  readonly demand: Demand;
  readonly policyHash: string;
  readonly target: { readonly type: string; readonly id: string; readonly version?: string };
  readonly approval: ApprovalRecord;
  readonly idempotencyKey?: string;
  readonly runId?: string;
  readonly traceId?: string;
}

/** How an approved request ended. */
export type Settlement =
  | { readonly state: "executed"; readonly result: string }
  | { readonly state: "failed" | "stale"; readonly code: string; readonly message: string };

/** The guard that turns a demand into people's signatures and back into one execution. */
export interface Approvals {
  /**
   * Opens a request, or joins the identical one that is open. Throws APPROVERS_MISSING (too few people could ever
   * agree; the message says how to invite) and APPROVAL_CAP_REACHED.
   */
  open(tx: Transaction, ask: Ask): Promise<PendingApproval>;
  /** The request if it is approved and within its execution window; undefined if another job or its expiry took it. */
  take(accountId: string, requestId: string): Promise<HeldCall | undefined>;
  /** In the effect's transaction, or alone where there was no effect. The result is kept encrypted for the requester. */
  settle(tx: Transaction, held: HeldCall, settlement: Settlement): Promise<void>;
  /**
   * Who the decisions of `held` still count for: re-checked at execution, since approvers may have been banned or lost
   * the permission meanwhile. Throws APPROVAL_STALE where too few are left.
   */
  recheck(held: HeldCall, caller: Caller): Promise<void>;
}
