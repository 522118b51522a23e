import type { InterventionRule, PolicyDocument } from "../../contracts/policy/policy-document.ts";
import type { CheckedDocument } from "./check-document.ts";
import { type PolicySet, policySet } from "./policy-set.ts";

/** An account's policy document, ready to be asked. Two accounts with the same document share one. */
export interface OwnPolicies {
  readonly policyHash: string;
  readonly policies: PolicySet;
  /** These match and never grant: they are asked for a demand, and not for a permission. */
  readonly rules: PolicySet;
  readonly ruleById: ReadonlyMap<string, InterventionRule>;
}

/** `checked` is what the strict load of `document` found, without problems. */
export function ownPolicies(policyHash: string, document: PolicyDocument, checked: CheckedDocument): OwnPolicies {
  return {
    policyHash,
    policies: policySet(`${policyHash} authorization`, checked.policies),
    rules: policySet(`${policyHash} intervention`, checked.rules),
    ruleById: new Map(document.intervention.rules.map((rule) => [rule.id, rule])),
  };
}
