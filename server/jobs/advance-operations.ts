import type { PgBoss } from "pg-boss";
import type { Gate } from "../action/gate.ts";
import { runAction } from "../action/run-action.ts";
import { failOperation } from "../domain/operations/fail-operation.ts";
import type { Operation } from "../domain/operations/operation-store.ts";
import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import { carryWalk, WALKS } from "./carry-walk.ts";
import { workOn } from "./open-jobs.ts";
import { ADVANCE_OPERATIONS, type OperationJob } from "./queues.ts";

/** The hub or its database was away, or is going: the job comes again, with a claim of its own. */
const COMES_AGAIN: readonly ErrorCode[] = [
  "STORE_UNAVAILABLE",
  "JOURNAL_UNAVAILABLE",
  "JOURNAL_FULL",
  "LANE_LOST",
  "KEY_SERVICE_UNREACHABLE",
  "DRAINING",
  "AMBIGUOUS",
];

const LOOK_MS = 1_000;

/**
 * Carries operations on, each through the gate as the action that it names, with the rights that whoever asked for it has
 * now. What the action ends the operation with, it ends in its own transaction; what it is refused for, or fails with, is
 * written down here. A walk through all accounts is many such actions, a slice of them a job.
 */
export function advanceOperations(boss: PgBoss, gate: Gate): Promise<void> {
  return workOn(boss, ADVANCE_OPERATIONS, (job, signal) => advance(gate, job, signal));
}

async function advance(gate: Gate, { accountId, operationId }: OperationJob, signal: AbortSignal): Promise<void> {
  const operation = await gate.store.transact(accountId, (tx) => tx.operations.claim(operationId, gate.now()));
  if (!operation) return;
  using held = watch(gate, accountId, operation);
  try {
    const stop = AbortSignal.any([signal, held.lost]);
    if (WALKS.has(operation.kind)) await carryWalk(gate, accountId, operation, stop);
    else await carryOn(gate, accountId, operation, stop);
  } catch (error) {
    const failure = toHubError(error);
    // the hub stops, or the job lost its heartbeat: whoever gets it next begins anew
    if (signal.aborted || COMES_AGAIN.includes(failure.code)) throw failure;
    await gate.store.transact(accountId, (tx) => failOperation(tx, operation, failure, gate.now()));
  }
}

/** Fires `lost` soon after the operation is cancelled, or held by another process: what is under way then stops. */
function watch(gate: Gate, accountId: string, { id, fence }: Operation): { lost: AbortSignal } & Disposable {
  const lost = new AbortController();
  const look = async () => {
    const found = await gate.store.read(accountId, (read) => read.operations.find(id));
    if (found?.state !== "working" || found.fence !== fence) lost.abort();
  };
  // a look that fails says nothing: the next one may
  const looking = setInterval(() => void look().catch(() => {}), LOOK_MS);
  return { lost: lost.signal, [Symbol.dispose]: () => clearInterval(looking) };
}

async function carryOn(gate: Gate, accountId: string, operation: Operation, signal: AbortSignal): Promise<void> {
  const { id: operationId, fence, action, requesterId, traceId } = operation;
  const found = await gate.identifier.byPrincipal(accountId, requesterId);
  if ("refusal" in found) throw found.refusal;
  const result = await runAction(gate, {
    action,
    input: { operationId, fence },
    caller: found.caller,
    channel: "job",
    canConfirm: false,
    runId: operationId,
    ...(traceId !== undefined && { traceId }),
    signal,
  });
  if (result.status !== "done") throw new HubError("INTERNAL", "An operation's own action waits for nobody.");
}
