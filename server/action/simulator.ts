import { type ErrorCode, toHubError } from "../errors.ts";
import type { Question } from "./authorizer.ts";
import { CallInProgress } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";
import { amountsTo, type JudgedCall, targetOf } from "./judge.ts";
import { parseInput } from "./parse-input.ts";
import type { Simulation, Simulator } from "./simulate.ts";
import { decideAll, demandAll } from "./weigh.ts";

/** With these nothing was decided: the hub could not find out. */
const UNDECIDED: readonly ErrorCode[] = [
  "STORE_UNAVAILABLE",
  "KEY_SERVICE_UNREACHABLE",
  "TIMEOUT",
  "CANCELLED",
  "INTERNAL",
];

/** Answers "would this call be allowed, need approval, and why" from the gate's own guards; nothing runs. */
export function createSimulator(gate: () => Gate): Simulator {
  return {
    async simulate(caller, question) {
      try {
        return await simulate(gate(), await actingAs(gate(), caller, question.as), question);
      } catch (error) {
        const refusal = toHubError(error);
        if (UNDECIDED.includes(refusal.code)) throw refusal;
        return { outcome: "refused", code: refusal.code, words: refusal.message, policies: [] };
      }
    },
  };
}

async function actingAs(gate: Gate, caller: Caller, as: string | undefined): Promise<Caller> {
  if (as === undefined) return caller;
  const found = await gate.identifier.byPrincipal(caller.account.id, as);
  if ("refusal" in found) throw found.refusal;
  return found.caller;
}

async function simulate(
  gate: Gate,
  caller: Caller,
  asked: { action: string; input: unknown; document?: string | undefined },
): Promise<Simulation> {
  const entry = gate.registry.get(asked.action);
  if (!entry)
    return {
      outcome: "refused",
      code: "ACTION_UNKNOWN",
      words: `There is no action called ${asked.action.slice(0, 80)}.`,
      policies: [],
    };
  const input = parseInput(entry, asked.input);
  const call = new CallInProgress(gate, { accountId: caller.account.id, caller, action: asked.action, channel: "mcp" });
  const judged: JudgedCall = { entry, input, caller, channel: "mcp", signal: new AbortController().signal };
  const target = await targetOf(gate, call, judged);
  const question: Question = {
    caller,
    action: entry.action,
    target,
    input: input.value,
    channel: "mcp",
    now: call.now,
    ...(asked.document !== undefined && { document: asked.document }),
  };
  const others = await amountsTo(gate, call, judged);
  const decision = await decideAll(gate, question, others);
  if (decision.outcome !== "permitted") {
    const code = decision.outcome === "failed" ? "POLICY_FAILED" : "FORBIDDEN";
    return { outcome: "refused", code, words: decision.words, policies: [...decision.policies] };
  }
  const { kind, people, holding, rules } = await demandAll(gate, question, others);
  const policies = [...decision.policies];
  const needs = { people, holding: [...holding], rules: [...rules] };
  if (kind === "forbid")
    return {
      outcome: "refused",
      code: "POLICY_FORBIDS",
      words: `A rule forbids it: ${rules.join(", ")}.`,
      policies,
      needs,
    };
  if (kind === "auto") return { outcome: "runs", words: decision.words, policies };
  if (kind === "confirm")
    return { outcome: "needs-confirmation", words: "It runs once the caller has confirmed.", policies, needs };
  return {
    outcome: "needs-approval",
    words: `It runs once ${needed(caller, people)} approved it.`,
    policies,
    needs,
  };
}

function needed(caller: Caller, people: number): string {
  if (caller.account.profile === "solo") return "the account's one person has signed and thereby";
  return people === 1 ? "one other person has" : "two other people have";
}
