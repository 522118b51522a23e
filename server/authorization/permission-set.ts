import { entityOf, type TypeAndId } from "./cedar-engine.ts";
import type { Policy } from "./policy.ts";

/** Principals, roles and accounts that the heads of policies name, each as one text. */
export function namedInHeads(policies: Iterable<Policy>): Set<string> {
  const named = new Set<string>();
  for (const { head } of policies) {
    const constraint = head.principal;
    const within = constraint.op === "is" ? constraint.in : constraint;
    if (within && "entity" in within) named.add(textOf(entityOf(within.entity)));
  }
  return named;
}

/**
 * A text for all that heads ask about somebody: what kind of principal it is, and which of the entities that any head
 * names it is. Heads hold for two principals alike where these texts are equal, under the same policies.
 */
export function permissionSet(principalType: string, self: readonly TypeAndId[], named: ReadonlySet<string>): string {
  const mine = self.map(textOf).filter((text) => named.has(text));
  return JSON.stringify([principalType, ...[...new Set(mine)].sort()]);
}

const textOf = ({ type, id }: TypeAndId): string => JSON.stringify([type, id]);
