import type { HeldCall, Settlement } from "../action/approvals.ts";
import type { Transaction } from "../action/store.ts";
import { approvalEvent } from "../domain/approvals/approval-events.ts";
import { HubError } from "../errors.ts";
import type { ApprovalSettings } from "./approval-settings.ts";
import { type Cipher, sealResult } from "./held-call.ts";

export interface SettlingSetup {
  readonly keys: Cipher;
  readonly settings: ApprovalSettings;
  readonly now: () => Date;
}

/** See `Approvals.settle`. */
export async function settleRequest(
  setup: SettlingSetup,
  tx: Transaction,
  held: HeldCall,
  settlement: Settlement,
): Promise<void> {
  const about = { id: held.requestId, action: held.action, requester: { id: held.requesterId } };
  if (settlement.state === "executed") {
    await keepResult(setup, tx, held, settlement.result);
    await tx.events.emit(approvalEvent("executed", about));
    return;
  }
  const { state, code, message } = settlement;
  // a refusal before the intent finds it approved, a failure after it executing; what has ended otherwise stays so
  const closed = await tx.approvals.close(held.requestId, ["approved", "executing"], {
    state,
    at: setup.now(),
    errorCode: code,
    errorMessage: message,
  });
  if (closed) await tx.events.emit(approvalEvent(state, about, { code }));
}

async function keepResult(
  { keys, settings, now }: SettlingSetup,
  tx: Transaction,
  held: HeldCall,
  result: string,
): Promise<void> {
  const at = now();
  const resultExpiresAt = new Date(at.getTime() + settings.resultMs);
  const closed = await tx.approvals.close(held.requestId, ["executing"], {
    state: "executed",
    at,
    result: await sealResult(keys, held.accountId, held.requestId, result),
    resultExpiresAt,
  });
  if (!closed) throw await displaced(tx, held);
  await tx.approvals.enqueueExpiry(held.requestId, resultExpiresAt);
}

/** The request was taken from this execution: its effect must not commit. */
async function displaced(tx: Transaction, held: HeldCall): Promise<HubError> {
  const { state } = await tx.approvals.get(held.requestId);
  return state === "ambiguous"
    ? new HubError(
        "LANE_LOST",
        "This process was declared dead while it executed the approved call; nothing was changed.",
      )
    : new HubError("APPROVAL_STALE", `The request became ${state} while its call was executed; nothing was changed.`);
}
