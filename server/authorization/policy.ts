import type { PolicySummary } from "../domain/policy/policy-checker.ts";
import type { CedarEngine, CedarSchemaJson, DetailedError, PolicyJson } from "./cedar-engine.ts";
import { conditionsOf } from "./policy-conditions.ts";
import { type Scope, scopeOf } from "./policy-scope.ts";

/** A Cedar policy with what the hub knows about it without asking the engine. Plain data: it crosses threads. */
export interface Policy extends PolicySummary {
  readonly scope: Scope;
  readonly head: Pick<PolicyJson, "principal" | "resource"> & { readonly unconditional: boolean };
  /** Paths below `context` that its conditions read. */
  readonly reads: readonly (readonly string[])[];
  /** Whether its conditions look into an open map of strings. */
  readonly readsTags: boolean;
  /** Whether head or conditions tell apart resources of one type and account. */
  readonly readsResource: boolean;
}

export type Parsed =
  | { readonly policy: Policy; readonly json: PolicyJson }
  | { readonly errors: readonly DetailedError[] };

/** Reads the text of one policy. `@id` and `@why` may be missing: they are empty then. Throws what the engine throws. */
export function parsePolicy(engine: CedarEngine, schema: CedarSchemaJson, text: string): Parsed {
  const answer = engine.policyToJson(text);
  if (answer.type === "failure") return { errors: answer.errors };
  const { json } = answer;
  const { reads, readsTags, readsResource } = conditionsOf(json);
  const anyResource = json.resource.op === "All" || (json.resource.op === "is" && !("in" in json.resource));
  const policy: Policy = {
    id: json.annotations?.["id"] ?? "",
    why: json.annotations?.["why"] ?? "",
    effect: json.effect,
    text,
    scope: scopeOf(schema, json),
    head: { principal: json.principal, resource: json.resource, unconditional: json.conditions.length === 0 },
    reads,
    readsTags,
    readsResource: readsResource || !anyResource,
  };
  return { policy, json };
}
