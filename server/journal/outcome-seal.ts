import type { OutcomeDraft, StagedOutcome } from "../domain/evidence/receipt-store.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { HubError } from "../errors.ts";

/** Keeps these apart from all else that the key `mac` is used for. */
const DOMAIN = "countersign outcome_staged v1";

/**
 * Seals an outcome before it is staged: HMAC-SHA-256 under the account's key `mac` over account, call, epoch and the exact
 * statement. Throws what the key service says.
 */
export async function sealOutcome(keys: KeyService, outcome: OutcomeDraft): Promise<StagedOutcome> {
  return { ...outcome, seal: await keys.hmac(outcome.accountId, "mac", sealedBytes(outcome)) };
}

/**
 * Whether a hub staged this row. Throws KEY_SERVICE_* or STORE_UNAVAILABLE where that cannot be told now; a
 * version that the account's key does not have seals nothing.
 */
export async function isSealed(keys: KeyService, staged: StagedOutcome): Promise<boolean> {
  try {
    return await keys.verifyHmac(staged.accountId, "mac", sealedBytes(staged), staged.seal);
  } catch (error) {
    if (error instanceof HubError && ["KEY_NOT_FOUND", "KEY_VERSION_TOO_OLD"].includes(error.code)) return false;
    throw error;
  }
}

function sealedBytes({ accountId, callId, epoch, statement }: OutcomeDraft): Buffer {
  return Buffer.from([DOMAIN, accountId, callId, epoch, statement].join("\n"));
}
