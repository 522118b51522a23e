import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import { isInDoubt } from "../domain/evidence/in-doubt.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { together } from "../domain/together.ts";
import { type ErrorCode, HubError, toHubError } from "../errors.ts";
import type { Done } from "./action-request.ts";
import type { CallInProgress } from "./call.ts";
import type { Call } from "./context.ts";
import { holdsSecret, isRead } from "./define-action.ts";
import type { Gate } from "./gate.ts";
import { beginOnce, type Once } from "./idempotent-call.ts";
import type { Spend } from "./journal.ts";
import { type JudgedCall, targetOf } from "./judge.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Reader, Transaction } from "./store.ts";
import type { Target } from "./target.ts";

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
  /** Says so where the target is not the judged one any more; default: CONFLICT. */
  readonly refuseMoved?: (now: Target) => HubError;
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
  target: Target,
  options: ChangeOptions = {},
): Promise<Done> {
  // a secret is never kept, so it cannot be answered twice, nor compared with one that comes later
  const key = holdsSecret(judged.entry.action) ? undefined : options.idempotencyKey;
  const once = await beginOnce(gate, call, judged, key);
  if (once.replay) {
    call.underWay = true; // this is its outcome
    gate.journal.note(call.record, call.outcome(gate, "REPLAYED"));
    return once.replay;
  }
  try {
    call.underWay = true; // even if its write fails unclearly: then the sweeper closes what the database holds
    await gate.journal.intent(call.record, options.spend);
  } catch (error) {
    const { code } = toHubError(error);
    if (NOT_WRITTEN.includes(code)) call.underWay = false;
    // where the database is away too, the journal gives the key back when it records how this ended
    await once.release().catch(() => gate.journal.abandon(call.record, call.outcome(gate, code)));
    throw error;
  }
  let done: { staged: StagedOutcome; checked: Checked };
  try {
    done = await runEffect(gate, call, judged, target, options, once);
  } catch (error) {
    throw await recordFailure(gate, call, once, error);
  }
  await gate.journal.sequence(done.staged);
  const { output } = done.checked;
  await tidyUp(gate, call, judged, output);
  return { status: "done", output, summary: judged.entry.action.summary(output), receipt: call.reference() };
}

/** What follows a change that is done: it stands, whatever becomes of this. */
async function tidyUp(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  output: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { action } = judged.entry;
  try {
    await action.afterwards?.(output, gate.services);
  } catch (error) {
    gate.report(error, { callId: call.id, action: action.name });
  }
}

function runEffect(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  target: Target,
  options: ChangeOptions,
  once: Once,
) {
  const { action } = judged.entry;
  if (isRead(action)) throw new TypeError(`${action.name} is a read`);
  const limited = limit(judged);
  const context = contextCall(call, judged, limited.signal);
  const accountId = judged.caller.account.id;
  return limited.run(async () => {
    const reached = await reachOut(gate, judged, context);
    return gate.store.transact(
      accountId,
      async (tx) => {
        await refuseMovedTarget(gate, call, judged, target, tx, options);
        const result = await abortable(
          limited.signal,
          action.handler(judged.input.value, { call: context, tx, services: gate.services, target, reached }),
        );
        const checked = checkOutput(call, judged.entry, result);
        await options.after?.(tx, checked.output);
        await once.settle(tx, "done", { output: checked.output, receipt: call.reference() });
        const left = action.leaves?.(checked.output) ?? [];
        const ending = { output: checked.commitment, ...(left.length > 0 && { left }) };
        const staged = await gate.journal.stage(call.record, call.outcome(gate, "OK", ending));
        limited.signal.throwIfAborted();
        tx.outcomes.stage(staged);
        return { staged, checked };
      },
      limited.signal,
    );
  });
}

/** What an external action gets from other systems before its effect; undefined where it declares nothing of the kind. */
async function reachOut(gate: Gate, judged: JudgedCall, call: Call): Promise<unknown> {
  const { action } = judged.entry;
  if (!action.reach) return undefined;
  const read = <T>(fn: (read: Reader) => Promise<T>) => gate.store.read(judged.caller.account.id, fn, call.signal);
  return abortable(call.signal, action.reach(judged.input.value, { call, read, services: gate.services }));
}

/** What was judged is what is changed: the target is held, and looked at again, before the handler runs. */
async function refuseMovedTarget(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  target: Target,
  tx: Transaction,
  { refuseMoved }: ChangeOptions,
): Promise<void> {
  if (judged.entry.action.target === "account") return;
  // sent together: the look waits in the database for the lock
  const [, now] = await together([tx.targets.lock(target.type, target.id), targetOf(gate, call, judged, tx)]);
  if (now.type === target.type && now.id === target.id && now.version === target.version) return;
  throw (
    refuseMoved?.(now) ??
    new HubError("CONFLICT", "What this call is about was changed while the call was judged; call again.")
  );
}

/** The intent is durable and the effect did not happen: the outcome says why, and is waited for. */
async function recordFailure(gate: Gate, call: CallInProgress, once: Once, error: unknown): Promise<HubError> {
  const failure = toHubError(error);
  if (failure.code === "INTERNAL") gate.report(error, { callId: call.id, action: call.record.action });
  const outcome = call.outcome(gate, failure.code);
  if (isInDoubt(failure) || !(await isKept(once, failure))) gate.journal.abandon(call.record, outcome);
  else await gate.journal.outcome(call.record, outcome);
  return failure;
}

/** Whether the key holds the failure now. A database that is away keeps no key; the journal then frees it. */
function isKept(once: Once, failure: HubError): Promise<boolean> {
  return once.fail(failure).then(
    () => true,
    () => false,
  );
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

function contextCall({ id, now }: CallInProgress, judged: JudgedCall, signal: AbortSignal): Call {
  const { caller, channel, onProgress } = judged;
  return { id, caller, channel, signal, now, ...(onProgress && { tell: onProgress }) };
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
        // it may have happened: that it also took too long, or that nobody waits any more, is beside the point
        if (isInDoubt(error)) throw error;
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
