import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import type { Slice } from "./walk-step.ts";

/** What keeps the hub from working in one account, and says nothing about the others. */
const ACCOUNT_FAULTS: readonly ErrorCode[] = [
  "FORBIDDEN",
  "POLICY_FORBIDS",
  "POLICY_FAILED",
  "POLICY_INVALID",
  "PRINCIPAL_BANNED",
  "NOT_FOUND",
  "KEY_NOT_FOUND",
  "KEY_TYPE_MISMATCH",
  "INPUT_TOO_LARGE",
  "OUTPUT_INVALID",
  "CIPHERTEXT_INVALID",
  "KEY_VERSION_TOO_OLD",
  "KEY_VERSION_IN_USE",
  "INTERNAL",
];

/**
 * Works in one account. What keeps the hub from it is told, of the account by its id, and the walk goes on without it.
 * Answers with whether it worked.
 */
export async function inAccount(
  { gate, hubAccountId, operation }: Slice,
  accountId: string,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const { code } = toHubError(error);
    if (!ACCOUNT_FAULTS.includes(code)) throw error;
    await gate.store.transact(hubAccountId, async (tx) => {
      if (!(await tx.operations.holds(operation.id, operation.fence)))
        throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
      await tx.rotation.addFault(operation.id, accountId, code, gate.now());
      await tx.events.emit({
        type: "vault.account_failed",
        subject: `operations/${operation.id}`,
        data: { accountId, code },
      });
    });
    return false;
  }
}
