import { HubError } from "../errors.ts";
import type { ActionRequest } from "./action-request.ts";
import type { Demand } from "./approvals.ts";
import type { Decision, Question } from "./authorizer.ts";
import type { CallInProgress } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { ReadContext } from "./context.ts";
import type { Gate } from "./gate.ts";
import type { OtherCall } from "./other-call.ts";
import type { ParsedInput } from "./parse-input.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Channel } from "./risk.ts";
import type { Reader } from "./store.ts";
import type { Target } from "./target.ts";
import { decideAll, demandAll } from "./weigh.ts";

export interface Judgement {
  readonly target: Target;
  readonly decision: Decision;
  readonly demand: Demand;
}

export interface JudgedCall {
  readonly entry: RegisteredAction;
  readonly input: ParsedInput;
  readonly caller: Caller;
  readonly channel: Channel;
  readonly onProgress?: ActionRequest["onProgress"];
  readonly signal: AbortSignal;
}

/**
 * The gate's third and fourth step: what the call is about, whether the policies permit it, and who has to agree.
 * Fills in the record as facts become known, so that a refusal's receipt says as much as was decided.
 * Throws FORBIDDEN, POLICY_FAILED, POLICY_FORBIDS.
 */
export async function judge(gate: Gate, call: CallInProgress, judged: JudgedCall): Promise<Judgement> {
  const { caller, entry, input, channel, signal } = judged;
  const target = await targetOf(gate, call, judged);
  call.record.target = {
    type: target.type,
    id: target.id,
    ...(target.version !== undefined && { version: target.version }),
  };
  const question: Question = { caller, action: entry.action, target, input: input.value, channel, now: call.now };
  const others = await amountsTo(gate, call, judged);
  const decision = await decideAll(gate, question, others);
  call.record.policy = {
    version: caller.policy.version,
    hash: caller.policy.hash,
    decidedBy: decision.policies.map((p) => p.id),
  };
  refuseUnlessPermitted(decision);
  const demand = await demandAll(gate, question, others);
  if (demand.kind === "forbid")
    throw new HubError("POLICY_FORBIDS", `The account's policy forbids this call (${demand.rules.join(", ")}).`, {
      details: { rules: demand.rules },
    });
  signal.throwIfAborted();
  return { target, decision, demand };
}

export function refuseUnlessPermitted(decision: Decision): void {
  if (decision.outcome === "permitted") return;
  const code = decision.outcome === "failed" ? "POLICY_FAILED" : "FORBIDDEN";
  throw new HubError(code, decision.words, { details: { policies: decision.policies } });
}

/** The target as it stands, read in `reader` where one is given (the effect's own transaction), else on its own. */
export async function targetOf(gate: Gate, call: CallInProgress, judged: JudgedCall, reader?: Reader): Promise<Target> {
  const { action } = judged.entry;
  const locate = action.target;
  if (locate === "account") return { type: "Account", id: judged.caller.account.id };
  return reading(gate, call, judged, async (context) => locate(judged.input.value, context), reader);
}

/** The other calls that this one amounts to. */
export async function amountsTo(gate: Gate, call: CallInProgress, judged: JudgedCall): Promise<readonly OtherCall[]> {
  const { action } = judged.entry;
  if (!action.amountsTo) return [];
  const { amountsTo: list } = action;
  return reading(gate, call, judged, (context) => list(judged.input.value, context));
}

function reading<T>(
  gate: Gate,
  call: CallInProgress,
  { caller, channel, signal }: JudgedCall,
  look: (context: ReadContext) => Promise<T>,
  reader?: Reader,
): Promise<T> {
  const context = { id: call.id, caller, channel, signal, now: call.now };
  const read = (r: Reader) => look({ call: context, read: r, services: gate.services });
  return reader ? read(reader) : gate.store.read(caller.account.id, read, signal);
}
