import { isInDoubt } from "../domain/evidence/in-doubt.ts";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { HubError, toHubError } from "../errors.ts";
import type { ActionRequest, ActionResult, Pending, PendingApproval } from "./action-request.ts";
import type { Demand } from "./approvals.ts";
import { CallInProgress, noteRefusal } from "./call.ts";
import { askToConfirm, checkConfirmation } from "./confirm.ts";
import { holdsSecret, isRead } from "./define-action.ts";
import { cancelled, executeChange, executeRead } from "./execute.ts";
import type { Gate } from "./gate.ts";
import { recordedOnce } from "./idempotent-call.ts";
import { type JudgedCall, type Judgement, judge } from "./judge.ts";
import { parseInput } from "./parse-input.ts";
import { previewOf } from "./preview-input.ts";
import type { RegisteredAction } from "./registry.ts";

/**
 * The one gate. Every call, from whichever door, comes through here (or through `runApproved`, for what people agreed
 * to): parse, authorise, intervene, record the intent, execute, check the output, record the outcome. The door has
 * identified the caller. Resolves with the result, a pending approval or a question to confirm; throws HubError for
 * every refusal and failure, each of which has its receipt.
 */
export async function runAction(gate: Gate, request: ActionRequest): Promise<ActionResult> {
  const call = new CallInProgress(gate, {
    accountId: request.caller.account.id,
    caller: request.caller,
    action: "unknown",
    channel: request.channel,
    ...(request.traceId !== undefined && { traceId: request.traceId }),
  });
  try {
    return await pass(gate, call, request);
  } catch (error) {
    const aborted = request.signal.aborted && !(error instanceof HubError);
    const refusal = noteRefusal(gate, call, aborted ? cancelled(request.signal) : error);
    refusal.receipt = call.reference();
    throw refusal;
  }
}

async function pass(gate: Gate, call: CallInProgress, request: ActionRequest): Promise<ActionResult> {
  refuseBadNames(request);
  if (request.runId !== undefined) call.record.runId = request.runId;
  const entry = find(gate, request);
  call.record.action = entry.action.name;
  call.record.schemaDigest = entry.schemaDigest;
  const input = parseInput(entry, request.input);
  call.record.input = call.commitTo(input.canonical);
  const { caller, channel, onProgress, signal } = request;
  const judged: JudgedCall = { entry, input, caller, channel, signal, ...(onProgress && { onProgress }) };
  const judgement = await judge(gate, call, judged);
  // rules ask people about changes; a read is permitted or it is not
  if (isRead(entry.action)) return executeRead(gate, call, judged);

  const { demand, target } = judgement;
  const options = request.idempotencyKey === undefined ? {} : { idempotencyKey: request.idempotencyKey };
  // a job carries on what was agreed to when it was asked for
  if (demand.kind === "auto" || request.channel === "job") return executeChange(gate, call, judged, target, options);
  const recorded = await recordedOnce(gate, judged, request.idempotencyKey);
  if (recorded) {
    gate.journal.note(call.record, call.outcome(gate, "REPLAYED"));
    return recorded;
  }
  if (demand.kind === "confirm" && request.confirmation) {
    const spend = await checkConfirmation(gate, call, judged, request.confirmation);
    return executeChange(gate, call, judged, target, { ...options, spend });
  }
  if (demand.kind === "confirm" && request.canConfirm) {
    const asked = await askToConfirm(gate, call, judged, judgement);
    gate.journal.note(call.record, call.outcome(gate, "CONFIRMATION_REQUIRED"));
    return asked;
  }
  return requestApproval(gate, call, judged, judgement, options);
}

/** A name that is unknown and one that this door does not offer are told the same. */
function find(gate: Gate, request: ActionRequest): RegisteredAction {
  const entry = gate.registry.get(request.action);
  if (entry?.action.channels.includes(request.channel)) return entry;
  throw new HubError(
    "ACTION_UNKNOWN",
    `There is no action called ${JSON.stringify(request.action.slice(0, 80))} here.`,
  );
}

/** They stand in every receipt of the call, so they are short and plain. */
function refuseBadNames({ idempotencyKey, runId }: ActionRequest): void {
  for (const [path, name] of Object.entries({ idempotencyKey, runId }))
    if (name !== undefined && !/^[\x21-\x7e]{1,200}$/.test(name))
      throw new HubError("INPUT_INVALID", `${path}: 1 to 200 printable ASCII characters.`, { path });
}

/** The request's row and this call's outcome commit together; nothing else happens. */
async function requestApproval(
  gate: Gate,
  call: CallInProgress,
  judged: JudgedCall,
  { demand, target }: Judgement,
  options: { idempotencyKey?: string },
): Promise<Pending> {
  const { caller, entry, input, channel, signal } = judged;
  // its input would have to be held, or its result kept for the requester, and a secret never is
  if (holdsSecret(entry.action))
    throw new HubError(
      "APPROVAL_UNSUPPORTED",
      "The policy asks for approval of a call that holds a secret; that cannot wait.",
    );
  const accountId = caller.account.id;
  const inputMac = await gate.inputMac(accountId, entry.action.name, input.canonical);
  const preview = await previewOf(gate, call, judged);
  const asking = gate.store.transact(
    accountId,
    async (tx): Promise<{ approval: PendingApproval; staged: StagedOutcome }> => {
      const approval = await gate.approvals.open(tx, {
        caller,
        channel,
        now: call.now,
        action: entry.action.name,
        schemaDigest: entry.schemaDigest,
        canonicalInput: input.canonical,
        inputMac,
        salt: call.salt,
        inputCommitment: call.commitTo(input.canonical),
        demand: byAnother(demand),
        target,
        preview,
        ...options,
        ...(call.record.runId !== undefined && { runId: call.record.runId }),
        ...(call.record.traceId !== undefined && { traceId: call.record.traceId }),
      });
      const staged = await gate.journal.stage(
        call.record,
        call.outcome(gate, "APPROVAL_PENDING", { approvalRequestId: approval.requestId }),
      );
      tx.outcomes.stage(staged);
      return { approval, staged };
    },
    signal,
  );
  const { approval, staged } = await asking.catch((error: unknown) => {
    if (isInDoubt(error)) {
      call.underWay = true;
      gate.journal.abandon(call.record, call.outcome(gate, toHubError(error).code));
    }
    throw error;
  });
  call.underWay = true;
  await gate.journal.sequence(staged);
  return { status: "pending", approval, receipt: call.reference() };
}

/** A client that cannot be asked to confirm gets another person to agree instead. */
function byAnother(demand: Demand): Demand {
  return demand.kind === "confirm" ? { ...demand, kind: "approve", people: 1 } : demand;
}
