import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import { isInDoubt } from "../domain/evidence/in-doubt.ts";
import { HubError, toHubError } from "../errors.ts";
import type { Demand, HeldCall } from "./approvals.ts";
import { CallInProgress, noteRefusal } from "./call.ts";
import type { Caller } from "./caller.ts";
import { executeChange } from "./execute.ts";
import type { Gate } from "./gate.ts";
import { type JudgedCall, judge } from "./judge.ts";
import { parseInput } from "./parse-input.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Target } from "./target.ts";

/**
 * Executes what people agreed to, as the requester, with the rights of then and now. Everything the request was bound
 * to is checked again; what moved makes it stale. Its grant is spent in the intent's transaction, so that a job which
 * is repeated finds nothing to do. Resolves when the request is settled; throws only where the job should come again.
 */
export async function runApproved(
  gate: Gate,
  request: { accountId: string; requestId: string },
  signal: AbortSignal,
): Promise<void> {
  const held = await gate.approvals.take(request.accountId, request.requestId);
  if (!held) return;
  const call = new CallInProgress(gate, {
    accountId: held.accountId,
    action: held.action,
    channel: held.channel,
    salt: held.salt,
    ...(held.runId !== undefined && { runId: held.runId }),
    ...(held.traceId !== undefined && { traceId: held.traceId }),
  });
  call.record.approval = held.approval;
  try {
    await executeHeld(gate, call, held, signal);
  } catch (error) {
    const failure = call.underWay ? toHubError(error) : noteRefusal(gate, call, error);
    await settleFailure(gate, held, failure);
  }
}

async function executeHeld(gate: Gate, call: CallInProgress, held: HeldCall, signal: AbortSignal): Promise<void> {
  const caller = await requester(gate, call, held);
  const entry = sameAction(gate, held);
  call.record.schemaDigest = entry.schemaDigest;
  const input = parseInput(entry, JSON.parse(held.canonicalInput));
  if (input.canonical !== held.canonicalInput) throw stale("the action now reads its input differently");
  call.record.input = call.commitTo(input.canonical);
  const judged: JudgedCall = { entry, input, caller, channel: held.channel, signal };
  const { demand, target } = await judge(gate, call, judged);
  if (stricter(demand, held.demand)) throw stale("the policy now asks for more agreement than was given");
  refuseMoved(held, target);
  await gate.approvals.recheck(held, caller);
  const done = await executeChange(gate, call, judged, target, {
    spend: { kind: "approval", id: held.requestId },
    ...(held.idempotencyKey !== undefined && { idempotencyKey: held.idempotencyKey }),
    refuseMoved: (now) => moved(held, now),
    after: (tx, output) => {
      const result = canonicalize({
        output,
        summary: entry.action.summary(output),
        receipt: call.reference(),
      } as unknown as Json);
      return gate.approvals.settle(tx, held, { state: "executed", result });
    },
  });
  // the key was used up by another call meanwhile: this request is not carried out a second time
  if (done.replayed) throw new HubError("IDEMPOTENCY_MISMATCH", "Another call with this idempotency key came first.");
}

async function requester(gate: Gate, call: CallInProgress, held: HeldCall): Promise<Caller> {
  const found = await gate.identifier.byPrincipal(held.accountId, held.requesterId);
  if ("refusal" in found) throw found.refusal;
  call.record.principal = { id: found.caller.principal.id, kind: found.caller.principal.kind };
  return found.caller;
}

function sameAction(gate: Gate, held: HeldCall): RegisteredAction {
  const entry = gate.registry.get(held.action);
  if (!entry || entry.schemaDigest !== held.schemaDigest)
    throw stale("the action is not the one that was approved any more");
  return entry;
}

function refuseMoved(held: HeldCall, target: Target): void {
  const { type, id, version } = held.target;
  if (target.type !== type || target.id !== id || target.version !== version) throw moved(held, target);
}

const moved = (held: HeldCall, now: Target): HubError =>
  stale(
    `its target moved since it was asked for (version ${held.target.version ?? "none"}, now ${now.version ?? "none"})`,
  );

/** Whether `now` asks for anything that `then` did not. */
function stricter(now: Demand, then: Demand): boolean {
  if (now.kind === "auto" || now.kind === "confirm") return false;
  return now.people > then.people || now.holding.some((permission) => !then.holding.includes(permission));
}

const stale = (why: string): HubError =>
  new HubError("APPROVAL_STALE", `The approved call was not carried out: ${why}.`);

async function settleFailure(gate: Gate, held: HeldCall, failure: HubError): Promise<void> {
  // another job spent the grant: the request is that one's to settle
  if (failure.code === "APPROVAL_SPENT") return;
  // unclear whether it took effect: the sweeper reads the truth from the database and says AMBIGUOUS if there is none
  if (isInDoubt(failure) || failure.code === "JOURNAL_UNAVAILABLE" || failure.code === "JOURNAL_FULL") throw failure;
  const state = ["APPROVAL_STALE", "PROPOSAL_STALE"].includes(failure.code) ? "stale" : "failed";
  await gate.store.transact(held.accountId, (tx) =>
    gate.approvals.settle(tx, held, { state, code: failure.code, message: failure.message }),
  );
}
