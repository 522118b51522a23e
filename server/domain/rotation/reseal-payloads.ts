import type { FailedRecord } from "../../../contracts/vault/walk.ts";
import { versionOf } from "../keys/ciphertext.ts";
import { boundToCall, boundToRequest } from "../keys/payload-binding.ts";
import { type AccountKeys, WRAPPING_KEY } from "./account-keys.ts";
import { holdWalk, type Look, recordFault, rotated, type Walker, walkOf } from "./account-walk.ts";
import { recordFailures } from "./rewrap-batch.ts";
import type { AccountWalkTransaction } from "./rotate-account-key.ts";
import type { SealedPayload, Swap } from "./rotation-store.ts";

export type PayloadInput = Walker & { readonly size: number };

export interface ResealedPayloads {
  readonly swaps: readonly (Swap & Pick<SealedPayload, "kind">)[];
  readonly failed: readonly FailedRecord[];
  readonly read: number;
}

/**
 * Held inputs and kept results are bound to their rows by associated data, with which no transit engine rewraps: they are
 * opened and sealed anew, in memory, and wiped. Nothing is written.
 */
export async function resealPayloads(
  input: PayloadInput,
  { look, keys, accountId }: { readonly look: Look; readonly keys: AccountKeys; readonly accountId: string },
): Promise<ResealedPayloads> {
  const { toVersion } = rotated(await walkOf(look, input));
  const rows = await look((rotation) => rotation.payloadsBelow(input.rotationId, toVersion, input.size));
  if (rows.length === 0) return { swaps: [], failed: [], read: 0 };
  const bindings = rows.map((row) => bindingOf(accountId, row));
  const opened = await keys.decryptBatch(
    accountId,
    WRAPPING_KEY,
    rows.map(({ sealed }, i) => ({ ciphertext: sealed, ...bindings[i] })),
  );
  try {
    const failed = rows.flatMap(({ kind, id }, i) => {
      const result = opened[i];
      return result && !result.ok ? [{ kind, id, code: recordFault(result.error) }] : [];
    });
    const open = rows.flatMap((row, i) => {
      const result = opened[i];
      return result?.ok ? [{ row, item: { plaintext: result.value, ...bindings[i] } }] : [];
    });
    const sealed = await keys.encryptBatch(
      accountId,
      WRAPPING_KEY,
      open.map(({ item }) => item),
    );
    const swaps = open.flatMap(({ row: { kind, id, sealed: from } }, i) => {
      const result = sealed[i];
      if (!result?.ok) throw result?.error ?? new TypeError("the key service answered with another number of items");
      return versionOf(result.value) >= toVersion ? [{ kind, id, from, to: result.value }] : [];
    });
    return { swaps, failed, read: rows.length };
  } finally {
    for (const result of opened) if (result.ok) result.value.fill(0);
  }
}

/** Compare-and-set of each that is still what was read. Throws CANCELLED (a higher fence has the walk). */
export async function recordResealed(
  tx: AccountWalkTransaction,
  input: PayloadInput,
  { swaps, failed, read }: ResealedPayloads,
  at: Date,
): Promise<{ readonly resealed: number; readonly failed: FailedRecord[]; readonly finished: boolean }> {
  await holdWalk(tx.rotation, input);
  let resealed = 0;
  for (const kind of ["held", "result", "outcome"] as const) {
    const some = swaps.filter((swap) => swap.kind === kind);
    if (some.length > 0) resealed += (await tx.rotation.swapPayloads(kind, some)).length;
  }
  await recordFailures(tx, input.rotationId, failed, at);
  await tx.rotation.advanceWalk(input.rotationId, { again: false, rotated: 0, payloads: resealed });
  return { resealed, failed: [...failed], finished: read < input.size };
}

function bindingOf(accountId: string, { kind, id }: SealedPayload) {
  return kind === "outcome" ? boundToCall(id) : boundToRequest(accountId, id, kind);
}
