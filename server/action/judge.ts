import { HubError } from "../errors.ts";
import type { Demand } from "./approvals.ts";
import type { Decision, Question } from "./authorizer.ts";
import type { CallInProgress } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import type { ParsedInput } from "./parse-input.ts";
import type { RegisteredAction } from "./registry.ts";
import type { Channel } from "./risk.ts";
import type { Reader } from "./store.ts";
import type { Target } from "./target.ts";

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
  const decision = await gate.authorizer.decide(question);
  call.record.policy = {
    version: caller.policy.version,
    hash: caller.policy.hash,
    decidedBy: decision.policies.map((p) => p.id),
  };
  refuseUnlessPermitted(decision);
  const demand = await gate.authorizer.demand(question);
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
  const { caller, channel, signal } = judged;
  if (action.target === "account") return { type: "Account", id: caller.account.id };
  const locate = action.target;
  const read = (r: Reader) =>
    Promise.resolve(
      locate(judged.input.value, {
        call: { id: call.id, caller, channel, signal, now: call.now },
        read: r,
        services: gate.services,
      }),
    );
  return reader ? read(reader) : gate.store.read(caller.account.id, read, signal);
}
