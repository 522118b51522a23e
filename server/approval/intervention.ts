/** Who has to agree to a call that is permitted. */
import type { InterventionRule } from "../../contracts/policy/policy-document.ts";
import type { Demand } from "../action/approvals.ts";
import type { Approval } from "../action/risk.ts";

export interface Intervention extends Demand {
  /** The rules that asked for it, in words; empty: the action's own risk did. */
  readonly because: readonly { readonly id: string; readonly why: string }[];
}

interface Asked {
  readonly kind: Demand["kind"];
  readonly people: 0 | 1 | 2;
  readonly holding: readonly string[];
  readonly because: readonly { readonly id: string; readonly why: string }[];
}

const STRICTNESS = ["auto", "confirm", "approve", "forbid"] as const;

const BY_RISK: Record<Approval, Asked> = {
  none: { kind: "auto", people: 0, holding: [], because: [] },
  confirm: { kind: "confirm", people: 0, holding: [], because: [] },
  approve: { kind: "approve", people: 1, holding: [], because: [] },
  "two-person": { kind: "approve", people: 2, holding: [], because: [] },
};

/**
 * What the action's risk and the rules that matched a call ask for together. The strictest counts; the permissions that
 * equally strict rules ask for add up, and each must be held by someone who approves. Where the action `mayLoosen`, the
 * strictest of the loosening rules stands in for the risk, and never for another rule. What
 * a `solo` account's one person can sign for is the approvals' to say, not a smaller demand.
 */
export function demand(risk: Approval, mayLoosen: boolean, matched: readonly InterventionRule[]): Intervention {
  const loosening = mayLoosen ? matched.filter((rule) => rule.loosens) : [];
  const start = loosening.length > 0 ? loosening.map(askedBy).reduce(stricter) : BY_RISK[risk];
  const all = [start, ...matched.filter((rule) => !rule.loosens).map(askedBy)];
  const strictest = all.reduce(stricter);
  const kept = all.filter(({ kind }) => kind === strictest.kind);
  const because = kept.flatMap((asked) => asked.because);
  return {
    kind: strictest.kind,
    people: strictest.people,
    holding: [...new Set(kept.flatMap(({ holding }) => holding))],
    rules: because.map(({ id }) => id),
    because,
  };
}

function askedBy({ id, why, outcome }: InterventionRule): Asked {
  const because = [{ id, why }];
  if (typeof outcome === "string") return { kind: outcome, people: 0, holding: [], because };
  return { kind: "approve", people: outcome.approve, holding: [outcome.holding], because };
}

function stricter(a: Asked, b: Asked): Asked {
  const difference = STRICTNESS.indexOf(a.kind) - STRICTNESS.indexOf(b.kind) || a.people - b.people;
  return difference >= 0 ? a : b;
}

/** A rule as a Cedar policy that only matches and never grants, and where the rule's own condition begins in it. */
export function ruleToCedar({ actions, resource, when }: InterventionRule): { text: string; conditionAt: number } {
  const named = actions.map((name) => `Action::"${name}"`).join(", ");
  const head = `permit(principal, action in [${named}], resource${resource === undefined ? "" : ` is ${resource}`})`;
  if (when === undefined) return { text: `${head};`, conditionAt: 0 };
  // on lines of its own, so that a comment in the condition ends before the bracket does
  const before = `${head}\nwhen {\n`;
  return { text: `${before}${when}\n};`, conditionAt: before.length };
}
