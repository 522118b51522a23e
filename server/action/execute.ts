import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import type { Done } from "./action-request.ts";
import type { CallInProgress } from "./call.ts";
import type { Call } from "./context.ts";
import { isRead } from "./define-action.ts";
import type { Gate } from "./gate.ts";
import { beginOnce, type Once } from "./idempotent-call.ts";
import type { Spend } from "./journal.ts";
import type { JudgedCall } from "./judge.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Transaction } from "./store.ts";

interface Checked {
  readonly output: Record<string, unknown>;
  readonly commitment: string;
}

/** With these an intent is clearly not in the journal: the call is a refusal. */
const NOT_WRITTEN: readonly ErrorCode[] = [
  "APPROVAL_SPENT",
  "JOURNAL_FULL",
  "DRAINING",
  "CANONICAL_INVALID",
  "CONFLICT",
];

/** A read: run, checked, answered; its one outcome is written behind the answer. */
export async function executeRead(gate: Gate, call: CallInProgress, judged: JudgedCall): Promise<Done> {
  const { action } = judged.entry;
  if (!isRead(action)) throw new TypeError(`${action.name} is no read`);
  const limited = limit(judged);
  const context = contextCall(call, judged, limited.signal);
  const result = await limited.run(() =>
    gate.store.read(
      judged.caller.account.id,
      (read) =>
        abortable(limited.signal, action.handler(judged.input.value, { call: context, read, services: gate.services })),
      limited.signal,
    ),
  );
  const { output, commitment } = checkOutput(call, judged.entry, result);
  gate.journal.note(call.record, call.outcome(gate, "OK", { output: commitment }));
  return { status: "done", output, summary: action.summary(output), receipt: call.reference() };
}

export interface ChangeOptions {
  /** What the intent uses up, in its own transaction. */
  readonly spend?: Spend;
  readonly idempotencyKey?: string;
  /** Runs first in the effect's transaction; throws to refuse. */
  readonly before?: (tx: Transaction) => Promise<void>;
  /** Runs last in the effect's transaction. */
  readonly after?: (tx: Transaction, output: Record<string, unknown>) => Promise<void>;
}

/**
 * A change: intent durable, effect and outcome in one transaction, then the outcome sequenced and signed, then the
 * answer. A failure before the commit leaves nothing but its recorded outcome.
 */
export async function executeChange(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  options: ChangeOptions = {},
): Promise<Done> {
  // a secret is never kept, so it cannot be answered twice either
  const key = judged.entry.action.secretOutput ? undefined : options.idempotencyKey;
  const once = await beginOnce(gate, call, judged, key);
  if (once.replay) {
    gate.journal.note(call.record, call.outcome(gate, "REPLAYED"));
    return once.replay;
  }
  try {
    call.intended = true; // even if its write fails unclearly: then the sweeper closes what the database holds
    await gate.journal.intent(call.record, options.spend);
  } catch (error) {
    if (NOT_WRITTEN.includes(toHubError(error).code)) call.intended = false;
    await once.release();
    throw error;
  }
  let done: { staged: StagedOutcome; checked: Checked };
  try {
    done = await runEffect(gate, call, judged, options, once);
  } catch (error) {
    throw await recordFailure(gate, call, once, error);
  }
  await gate.journal.sequence(done.staged);
  const { output } = done.checked;
  return { status: "done", output, summary: judged.entry.action.summary(output), receipt: call.reference() };
}

function runEffect(gate: Gate, call: CallInProgress, judged: JudgedCall, options: ChangeOptions, once: Once) {
  const { action } = judged.entry;
  if (isRead(action)) throw new TypeError(`${action.name} is a read`);
  const limited = limit(judged);
  const context = contextCall(call, judged, limited.signal);
  return limited.run(() =>
    gate.store.transact(
      judged.caller.account.id,
      async (tx) => {
        await options.before?.(tx);
        const result = await abortable(
          limited.signal,
          action.handler(judged.input.value, { call: context, tx, services: gate.services }),
        );
        const checked = checkOutput(call, judged.entry, result);
        await options.after?.(tx, checked.output);
        await once.settle(tx, "done", { output: checked.output, receipt: call.reference() });
        const staged = gate.journal.stage(call.record, call.outcome(gate, "OK", { output: checked.commitment }));
        await tx.outcomes.stage(staged);
        limited.signal.throwIfAborted();
        return { staged, checked };
      },
      limited.signal,
    ),
  );
}

/** The intent is durable and the effect did not happen: the outcome says why, and is waited for. */
async function recordFailure(gate: Gate, call: CallInProgress, once: Once, error: unknown): Promise<HubError> {
  const failure = toHubError(error);
  if (failure.code === "INTERNAL") gate.report(error, { callId: call.id, action: call.record.action });
  // a connection lost at COMMIT leaves the effect unknown: the journal finds out from what the database holds
  if (["STORE_UNAVAILABLE", "AMBIGUOUS", "LANE_LOST"].includes(failure.code)) {
    gate.journal.abandon(call.record, call.outcome(gate, failure.code));
    return failure;
  }
  await once.fail(failure);
  await gate.journal.outcome(call.record, call.outcome(gate, failure.code));
  return failure;
}

function checkOutput(call: CallInProgress, entry: RegisteredAction, result: unknown): Checked {
  const parsed = entry.action.output.safeParse(result);
  if (!parsed.success)
    throw new HubError("OUTPUT_INVALID", "The action's result did not fit its own schema; nothing was changed.", {
      cause: parsed.error,
    });
  const output = parsed.data as Record<string, Json>;
  const commitment = entry.action.secretOutput ? call.commitTo("null") : call.commitTo(canonicalize(output));
  return { output, commitment };
}

function contextCall(call: CallInProgress, judged: JudgedCall, signal: AbortSignal): Call {
  return { id: call.id, caller: judged.caller, channel: judged.channel, signal, now: call.now };
}

/** Ends the wait for work that does not watch its signal; its transaction is rolled back under it. */
function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** The action's time limit and the caller's own signal, as one; and which of the two it was. */
function limit(judged: JudgedCall) {
  const { timeLimitMs } = judged.entry.action;
  const timer = new AbortController();
  const signal = AbortSignal.any([judged.signal, timer.signal]);
  return {
    signal,
    async run<T>(work: () => Promise<T>): Promise<T> {
      const armed = setTimeout(
        () => timer.abort(new HubError("TIMEOUT", `The call took longer than its limit of ${timeLimitMs} ms.`)),
        timeLimitMs,
      );
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        if (timer.signal.aborted) throw timer.signal.reason;
        if (judged.signal.aborted) throw cancelled(judged.signal);
        throw error;
      } finally {
        clearTimeout(armed);
      }
    },
  };
}

export function cancelled(signal: AbortSignal): HubError {
  return signal.reason instanceof HubError
    ? signal.reason
    : new HubError("CANCELLED", "The caller went away before the call was finished; nothing was changed.");
}
