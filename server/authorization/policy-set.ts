import type { Policy } from "./policy.ts";
import { withoutInner } from "./policy-conditions.ts";

/** Those policies of a set that can apply to one action. */
export interface ActionPolicies {
  /** In the order of their text. */
  readonly policies: readonly Policy[];
  /** Paths below `context` that they read. */
  readonly reads: readonly (readonly string[])[];
  /** Whether they look into an open map of strings. */
  readonly readsTags: boolean;
  /** Whether they tell apart resources of one type and account. */
  readonly readsResource: boolean;
}

/** Policies that are evaluated together. Equal keys mean equal policies. */
export interface PolicySet {
  readonly key: string;
  readonly policies: ReadonlyMap<string, Policy>;
  readonly byAction: ReadonlyMap<string, ActionPolicies>;
}

export function policySet(key: string, policies: readonly Policy[]): PolicySet {
  const byAction = Map.groupBy(
    policies.flatMap((policy) => [...policy.scope.actions].map((action) => ({ action, policy }))),
    ({ action }) => action,
  );
  return {
    key,
    policies: new Map(policies.map((policy) => [policy.id, policy])),
    byAction: new Map([...byAction].map(([action, entries]) => [action, together(entries.map((e) => e.policy))])),
  };
}

function together(policies: readonly Policy[]): ActionPolicies {
  return {
    policies,
    reads: withoutInner(policies.flatMap((policy) => policy.reads)),
    readsTags: policies.some((policy) => policy.readsTags),
    readsResource: policies.some((policy) => policy.readsResource),
  };
}
