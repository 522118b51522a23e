import type { Caller } from "./caller.ts";

/** The permission without which nobody decides; the gate asks for it before a decision is taken. */
export const DECIDE = "system.approval.decide";

/** What this guard asks the policies. */
export interface Approvers {
  /** Whether the policies in force give `caller` a permission, as an approver. A failed evaluation is no. */
  mayDecide(caller: Caller, permission: string): Promise<boolean>;
  /** The same by roles alone, good enough to see that nobody could ever agree. */
  rolesHold(roles: readonly string[], permission: string): boolean;
}
