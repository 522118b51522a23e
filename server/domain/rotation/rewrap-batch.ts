import { canonicalize } from "../../../contracts/formats/canonical-json.ts";
import { commit } from "../../../contracts/formats/commitment.ts";
import type { FailedRecord, MovedRecord } from "../../../contracts/vault/walk.ts";
import { versionOf } from "../keys/ciphertext.ts";
import type { BatchResult } from "../keys/key-service.ts";
import { type AccountKeys, WRAPPING_KEY } from "./account-keys.ts";
import { holdWalk, type Look, recordFault, requireSamePlace, rotated, type Walker, walkOf } from "./account-walk.ts";
import type { AccountWalkTransaction } from "./rotate-account-key.ts";
import type { RotatedWalk, Swap, WrappedKey } from "./rotation-store.ts";

export type BatchInput = Walker & {
  /** Credentials at most. */
  readonly size: number;
};

/** What the key service made of a page of wrapped keys, for the walk as it was. */
export interface RewrappedPage {
  readonly walk: RotatedWalk;
  readonly page: readonly WrappedKey[];
  readonly results: readonly BatchResult<string>[];
}

export interface BatchOutcome {
  readonly moved: MovedRecord[];
  readonly failed: FailedRecord[];
  /** Changed by somebody else meanwhile, or wrapped by a process that did not know the new version yet: looked at again. */
  readonly lost: number;
  /** The pass came to its end. */
  readonly finished: boolean;
  /** What the receipt commits to: hex SHA-256 of a salt and the canonical list of what moved. Null where nothing did. */
  readonly digest: string | null;
}

/** Has the next page of an account's wrapped keys wrapped anew. No transaction is open meanwhile, and nothing is written. */
export async function rewrapPage(
  input: BatchInput,
  { look, keys, accountId }: { readonly look: Look; readonly keys: AccountKeys; readonly accountId: string },
): Promise<RewrappedPage> {
  const walk = rotated(await walkOf(look, input));
  const after = walk.state === "done" ? undefined : walk.cursor;
  const page = await look((rotation) =>
    rotation.credentialsBelow(input.rotationId, walk.toVersion, {
      limit: input.size,
      ...(after !== undefined && { after }),
    }),
  );
  const items = page.map(({ wrapped }) => ({ ciphertext: wrapped }));
  const results = items.length === 0 ? [] : await keys.rewrapBatch(accountId, WRAPPING_KEY, items);
  return { walk, page, results };
}

/**
 * Writes a page: each wrapped key that is still what was read, by compare-and-set, with the walk's place and the list that
 * the receipt commits to. Throws CANCELLED (a higher fence has the walk), CONFLICT (another batch came first).
 */
export async function recordBatch(
  tx: AccountWalkTransaction,
  input: BatchInput,
  { walk: before, page, results }: RewrappedPage,
  { callId, at }: { readonly callId: string; readonly at: Date },
): Promise<BatchOutcome> {
  const { rotation } = tx;
  const { rotationId } = input;
  const walk = await holdWalk(rotation, input);
  requireSamePlace(before, walk);
  const { swaps, failed } = sorted(page, results, before.toVersion);
  const swapped = new Set(await rotation.swapWrapped(swaps));
  const moved = page.flatMap(({ id, version }, i) => {
    const result = results[i];
    return swapped.has(id) && result?.ok ? [{ id, from: version, to: versionOf(result.value) }] : [];
  });
  await recordFailures(tx, rotationId, failed, at);
  const finished = page.length < input.size;
  const list = moved.length > 0 ? commit(Buffer.from(canonicalize(moved))) : undefined;
  if (list)
    await rotation.addBatch(
      rotationId,
      {
        no: walk.batches + 1,
        callId,
        ids: moved.map(({ id }) => id),
        fromVersions: moved.map(({ from }) => from),
        toVersions: moved.map(({ to }) => to),
        ...list,
      },
      at,
    );
  const last = page.at(-1)?.id;
  await rotation.advanceWalk(rotationId, {
    ...(last !== undefined && { cursor: last }),
    again: walk.state === "done",
    rotated: moved.length,
    payloads: 0,
  });
  if (finished) await rotation.finishWalk(rotationId, at);
  const lost = page.length - moved.length - failed.length;
  return { moved, failed, lost, finished, digest: list?.digest ?? null };
}

/** What to write, and what did not open. What a process wrapped under an old version, which it still held, is neither. */
function sorted(page: readonly WrappedKey[], results: readonly BatchResult<string>[], least: number) {
  const swaps: Swap[] = [];
  const failed: FailedRecord[] = [];
  for (const [i, { id, wrapped }] of page.entries()) {
    const result = results[i];
    if (!result) throw new TypeError("the key service answered with another number of items");
    if (!result.ok) failed.push({ kind: "credential", id, code: recordFault(result.error) });
    else if (versionOf(result.value) >= least) swaps.push({ id, from: wrapped, to: result.value });
  }
  return { swaps, failed };
}

/** Each is told by its id, and is no reason to stop. */
export async function recordFailures(
  { rotation, events }: AccountWalkTransaction,
  rotationId: string,
  failed: readonly FailedRecord[],
  at: Date,
): Promise<void> {
  if (failed.length === 0) return;
  await rotation.addFailures(rotationId, failed, at);
  await events.emit(
    ...failed.map(({ kind, id, code }) => ({
      type: "vault.record_failed",
      subject: `vault/rotations/${rotationId}`,
      data: { kind, recordId: id, code },
    })),
  );
}
