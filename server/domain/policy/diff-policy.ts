import type { InterventionRule, Outcome } from "../../../contracts/policy/policy-document.ts";
import type { PreviewChange } from "../approvals/preview.ts";
import type { PolicyOutline, PolicySummary } from "./policy-checker.ts";

/**
 * What changes between two policy documents, by the ids and reasons that people know, policies before rules. The text
 * of each policy stands beside its reason: a reason is only what its author says.
 */
export function diffPolicy(before: PolicyOutline, after: PolicyOutline): PreviewChange[] {
  const changes = [
    ...diffById("policy", before.policies, after.policies, policyInWords),
    ...diffById("rule", before.rules, after.rules, ruleInWords),
  ];
  if (changes.length > 0) return changes;
  return [{ field: "layout", after: "comments, order or spacing only; every policy and rule stays as it is" }];
}

/** `forbids: Nobody changes the fleet at night.` and the Cedar text below. */
export function policyInWords({ effect, why, text }: PolicySummary): string {
  return `${effect}s: ${why}\n${text}`;
}

/** `calls of system.fleet.write on a FleetObject when ... must be approved by two people holding ...: <why>` */
export function ruleInWords({ actions, resource, when, outcome, loosens, why }: InterventionRule): string {
  const on = resource === undefined ? "" : ` on ${/^[AEIOU]/.test(resource) ? "an" : "a"} ${resource}`;
  const condition = when === undefined ? "" : ` when ${when}`;
  const may = loosens ? "need only" : "must";
  return `calls of ${actions.join(", ")}${on}${condition} ${may} ${outcomeInWords(outcome)}: ${why}`;
}

function outcomeInWords(outcome: Outcome): string {
  switch (outcome) {
    case "auto":
      return "be permitted";
    case "confirm":
      return "be confirmed by the caller";
    case "forbid":
      return "be refused";
    default:
      return `be approved by ${outcome.approve === 1 ? "one person" : "two people"} holding ${outcome.holding}`;
  }
}

function diffById<T extends { readonly id: string }>(
  noun: string,
  before: readonly T[],
  after: readonly T[],
  words: (one: T) => string,
): PreviewChange[] {
  const was = new Map(before.map((one) => [one.id, words(one)]));
  const is = new Map(after.map((one) => [one.id, words(one)]));
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((id) => {
    const [old, now] = [was.get(id), is.get(id)];
    if (old === now) return [];
    return [
      { field: `${noun} ${id}`, ...(old !== undefined && { before: old }), ...(now !== undefined && { after: now }) },
    ];
  });
}
