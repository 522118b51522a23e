import type { HeldCall } from "./approvals.ts";
import type { Caller } from "./caller.ts";

/** The permission without which nobody decides; the gate asks for it before a decision is taken. */
export const DECIDE = "system.approval.decide";

/** The call that people are asked to agree to. */
export type AskedCall = Pick<HeldCall, "action" | "schemaDigest" | "canonicalInput" | "channel">;

/** What this guard asks the policies. */
export interface Approvers {
  /** Whether the policies in force give `caller` a permission, as an approver. A failed evaluation is no. */
  mayDecide(caller: Caller, permission: string): Promise<boolean>;
  /**
   * Whether `caller` holds a permission that a demand names, as an approver of `call`. Where the call's own action, or
   * one that it amounts to, asks for that permission, they would have to be permitted this very call: a condition that
   * forbids it to them counts.
   */
  mayHold(caller: Caller, permission: string, call: AskedCall): Promise<boolean>;
  /** `mayDecide` by roles alone, good enough to see that nobody could ever agree. */
  rolesHold(roles: readonly string[], permission: string): boolean;
}
