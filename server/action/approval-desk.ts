import type { ApprovalRequest } from "../domain/approvals/approval-store.ts";
import type { Caller } from "./caller.ts";

/** What the approval actions need beside their account's rows. */
export interface ApprovalDesk {
  /**
   * Whether `caller` holds, for the call that `request` is about, a permission that its approvers must hold beyond
   * system.approval.decide. Throws APPROVAL_STALE where the request's rows do not belong together.
   */
  mayHold(caller: Caller, permission: string, request: ApprovalRequest): Promise<boolean>;
  /** What an executed request keeps for its requester: output, summary, receipt. Undefined where nothing is kept. */
  openResult(accountId: string, request: ApprovalRequest): Promise<unknown>;
}
