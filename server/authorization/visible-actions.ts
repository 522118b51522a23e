import type { TypeAndId } from "./cedar-engine.ts";
import type { NamedReason } from "./decision-words.ts";
import type { Policy } from "./policy.ts";
import { holdsFor } from "./policy-scope.ts";

/**
 * The actions that some resource and input could be permitted for, by the heads of policies alone: 14 us for 150
 * actions where full evaluations take 100 ms. Never leaves out a permitted one; shows one too many where a condition
 * is never true for the caller. `self` is the principal and what it is a member of.
 */
export function visibleActions(
  policies: readonly Policy[],
  principalType: string,
  self: readonly TypeAndId[],
): Set<string> {
  const mine = policies.filter(
    (policy) => policy.scope.principals.has(principalType) && holdsFor(policy.head.principal, self),
  );
  const visible = new Set(mine.filter(({ effect }) => effect === "permit").flatMap(({ scope }) => [...scope.actions]));
  for (const { effect, head, scope } of mine) {
    const always = effect === "forbid" && head.unconditional && head.resource.op === "All";
    if (always) for (const action of scope.actions) visible.delete(action);
  }
  return visible;
}

/** The permits that cover an action, whoever they are for. */
export function coveringPermits(policies: readonly Policy[], action: string): NamedReason[] {
  const permits = policies.filter(({ effect, scope }) => effect === "permit" && scope.actions.has(action));
  return permits.map(({ id, why }) => ({ id, why }));
}
