import { FINALIZATION, ROTATION, TRIMMING, VERIFICATION } from "../../contracts/vault/walk.ts";
import type { Gate } from "../action/gate.ts";
import { advanceOperation } from "../domain/operations/advance-operation.ts";
import type { Operation } from "../domain/operations/operation-store.ts";
import { type ErrorCode, toHubError } from "../errors.ts";
import { walkFinalization } from "./walk-finalization.ts";
import { walkRotation } from "./walk-rotation.ts";
import type { Slice, SliceEnd } from "./walk-step.ts";
import { walkTrimming } from "./walk-trimming.ts";
import { walkVerification } from "./walk-verification.ts";

/** Operations whose action only ends them: before that, a walk takes many calls, in many accounts. */
export const WALKS: ReadonlyMap<string, (slice: Slice) => Promise<SliceEnd>> = new Map([
  [ROTATION, walkRotation],
  [VERIFICATION, walkVerification],
  [FINALIZATION, walkFinalization],
  [TRIMMING, walkTrimming],
]);

/** So that a hub that stops waits for no walk, and no job lives long enough to be taken for a dead one. */
const SLICE_MS = 3_000;
/** Between tries while something is in the way; longer and longer, so that a day of that leaves no heap of receipts. */
const FIRST_REST_MS = 2_000;
const LONGEST_REST_MS = 60_000;
/** By operation: how long this process rested last. */
const rests = new Map<string, number>();

/** Somebody or something else is in the way for now: the walk keeps its place, and goes on when it is gone. */
const IN_THE_WAY: readonly ErrorCode[] = [
  "KEY_SERVICE_UNREACHABLE",
  "KEY_SERVICE_SEALED",
  "KEY_SERVICE_DENIED",
  "STORE_UNAVAILABLE",
  "JOURNAL_UNAVAILABLE",
  "JOURNAL_FULL",
  "LANE_LOST",
  "AMBIGUOUS",
  "CONFLICT",
  "TIMEOUT",
  "OVERLOADED",
];

/** One slice of a walk; where there is more to do, the job that goes on is sent in a transaction that holds the fence. */
export async function carryWalk(
  gate: Gate,
  hubAccountId: string,
  operation: Operation,
  signal: AbortSignal,
): Promise<void> {
  const walk = WALKS.get(operation.kind);
  if (!walk) throw new TypeError(`${operation.kind} is no walk`);
  const slice: Slice = { gate, hubAccountId, operation, signal, until: Date.now() + SLICE_MS };
  const end = await walk(slice).then(
    (reached) => {
      rests.delete(operation.id);
      return reached;
    },
    (error: unknown) => waitFor(slice, error),
  );
  if (typeof end === "string") return;
  await gate.store.transact(hubAccountId, async ({ operations }) => {
    if (await operations.holds(operation.id, operation.fence)) await operations.again(operation.id, end.again);
  });
}

async function waitFor({ gate, hubAccountId, operation, signal }: Slice, error: unknown): Promise<SliceEnd> {
  const { code } = toHubError(error);
  if (signal.aborted || !IN_THE_WAY.includes(code)) {
    rests.delete(operation.id);
    throw error;
  }
  const now = gate.now();
  const what = code.startsWith("KEY_SERVICE_") ? "The key service cannot be used" : "Something is in the way";
  await gate.store.transact(hubAccountId, async (tx) => {
    const { id: operationId, fence } = operation;
    const found = await tx.operations.find(operationId);
    const sentence = `${what} (${code}); the walk keeps its place and goes on when it can.`;
    if (found) await advanceOperation(tx, { operationId, fence }, { ...found.progress, sentence }, now);
  });
  const rest = Math.min(LONGEST_REST_MS, (rests.get(operation.id) ?? FIRST_REST_MS / 1.5) * 1.5);
  rests.set(operation.id, rest);
  return { again: new Date(now.getTime() + rest) };
}
