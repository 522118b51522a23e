import { setImmediate as others } from "node:timers/promises";
import type { Demand } from "./approvals.ts";
import type { Decision, Question } from "./authorizer.ts";
import type { Gate } from "./gate.ts";
import type { OtherCall } from "./other-call.ts";

const STRICTNESS: readonly Demand["kind"][] = ["auto", "confirm", "approve", "forbid"];
/** Questions in a row before other calls get their turn: a proposal may hold thousands of objects. */
const IN_A_ROW = 100;

/** What the policies say of a call, and of each that it amounts to: the first "no" decides. */
export async function decideAll(gate: Gate, question: Question, calls: readonly OtherCall[]): Promise<Decision> {
  const own = await gate.authorizer.decide(question);
  if (own.outcome !== "permitted") return own;
  for (const [asked, call] of calls.entries()) {
    if (asked % IN_A_ROW === IN_A_ROW - 1) await others();
    const decision = await gate.authorizer.decide(aboutOther(gate, question, call));
    if (decision.outcome !== "permitted")
      return { ...decision, words: `It amounts to ${call.action} on ${call.target.id}: ${decision.words}` };
  }
  return own;
}

/** Who has to agree to a call and to each that it amounts to, all at once: the strictest demand, and what it adds up to. */
export async function demandAll(gate: Gate, question: Question, calls: readonly OtherCall[]): Promise<Demand> {
  const demands = [await gate.authorizer.demand(question)];
  for (const [asked, call] of calls.entries()) {
    if (asked % IN_A_ROW === IN_A_ROW - 1) await others();
    demands.push(await gate.authorizer.demand(aboutOther(gate, question, call)));
  }
  const strictest = Math.max(...demands.map(({ kind }) => STRICTNESS.indexOf(kind)));
  const kept = demands.filter(({ kind }) => STRICTNESS.indexOf(kind) === strictest);
  const people = Math.max(...kept.map((demand) => demand.people)) as Demand["people"];
  return {
    kind: STRICTNESS[strictest] ?? "forbid",
    people,
    holding: [...new Set(kept.flatMap(({ holding }) => holding))],
    rules: [...new Set(kept.flatMap(({ rules }) => rules))],
  };
}

function aboutOther(gate: Gate, question: Question, { action, input, target }: OtherCall): Question {
  const entry = gate.registry.get(action);
  if (!entry) throw new TypeError(`a call amounts to ${action}, which is no action`);
  return { ...question, action: entry.action, input, target };
}
