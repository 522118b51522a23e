import type { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import type { PolicyProblem } from "../domain/policy/policy-checker.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { checkPolicies } from "./check-policies.ts";
import { checkRules } from "./check-rules.ts";
import type { Policy } from "./policy.ts";

/** Plain data: it crosses threads. */
export interface CheckedDocument {
  readonly problems: readonly PolicyProblem[];
  /** Empty where there are problems. */
  readonly policies: readonly Policy[];
  /** One for each rule, with the rule's id: it matches and never grants. */
  readonly rules: readonly Policy[];
}

/** Strict load of both parts of a document whose shape was checked. Takes as long as its author wants. */
export function checkDocument(vocabulary: PolicyVocabulary, document: PolicyDocument): CheckedDocument {
  const policies = checkPolicies(vocabulary, "authorization.cedar", document.authorization.cedar);
  const rules = checkRules(vocabulary, document.intervention.rules);
  const problems = [...policies.problems, ...rules.problems];
  if (problems.length > 0) return { problems, policies: [], rules: [] };
  return { problems, policies: policies.policies, rules: rules.policies };
}
