import type { Decision } from "../action/authorizer.ts";
import type { AuthzRequest } from "./authz-request.ts";
import type { CedarSchema } from "./cedar-schema.ts";
import {
  failedInWords,
  forbiddenInWords,
  type NamedReason,
  notPermittedInWords,
  permittedInWords,
} from "./decision-words.ts";
import type { Evaluation, Fault, PolicyEvaluator } from "./policy-evaluator.ts";
import type { PolicySet } from "./policy-set.ts";
import { type Slice, sliceOf } from "./request-slice.ts";
import { coveringPermits } from "./visible-actions.ts";

/**
 * Asks several sets about one call. Answers with faults alone where the call's data is not whole: a policy that forbids
 * would miss in silence what it cannot see.
 */
export function askSets(
  schema: CedarSchema,
  evaluator: PolicyEvaluator,
  sets: readonly PolicySet[],
  request: AuthzRequest,
): readonly Evaluation[] {
  const readsInput = sets.some((set) => {
    return set.byAction.get(request.action)?.reads.some(([part]) => part === undefined || part === "input") ?? false;
  });
  let slice: Slice;
  try {
    slice = sliceOf(schema, request, readsInput);
  } catch (error) {
    // our own sentences name fields and no values
    const what = error instanceof TypeError ? error.message : "the call cannot be shown to policies";
    return [{ allowed: false, deciding: [], faults: [{ what }] }];
  }
  return evaluator.ask(sets, slice);
}

/**
 * One decision from several sets, as if they were one: a failure in any denies, then a forbid in any, then a permit in
 * any permits.
 */
export function combine(action: string, sets: readonly PolicySet[], answers: readonly Evaluation[]): Decision {
  const why = (id: string) => sets.map((set) => set.policies.get(id)?.why).find((text) => text !== undefined) ?? "";
  const named = (ids: readonly string[]): NamedReason[] => ids.map((id) => ({ id, why: why(id) }));

  const faults: Fault[] = answers.flatMap((answer) => answer.faults);
  if (faults.length > 0) {
    const policies = named(faults.flatMap(({ policy }) => (policy === undefined ? [] : [policy])));
    return { outcome: "failed", policies, words: failedInWords(action, faults) };
  }
  const forbidding = named(answers.filter(({ allowed }) => !allowed).flatMap(({ deciding }) => deciding));
  if (forbidding.length > 0) {
    return { outcome: "forbidden", policies: forbidding, words: forbiddenInWords(action, forbidding) };
  }
  const permitting = named(answers.filter(({ allowed }) => allowed).flatMap(({ deciding }) => deciding));
  if (permitting.length > 0) {
    return { outcome: "permitted", policies: permitting, words: permittedInWords(permitting) };
  }
  const covering = coveringPermits(
    sets.flatMap((set) => [...set.policies.values()]),
    action,
  );
  return { outcome: "not-permitted", policies: [], words: notPermittedInWords(action, covering) };
}
