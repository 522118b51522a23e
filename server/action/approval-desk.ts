import type { ApprovalRequest } from "../domain/approvals/approval-store.ts";
import type { Caller } from "./caller.ts";

/** What the approval actions need beside their account's rows. */
export interface ApprovalDesk {
  /** Whether the policies give `caller` a permission that approvers must hold beyond system.approval.decide. */
  mayDecide(caller: Caller, permission: string): Promise<boolean>;
  /** What an executed request keeps for its requester: output, summary, receipt. Undefined where nothing is kept. */
  openResult(accountId: string, request: ApprovalRequest): Promise<unknown>;
}
