import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { Demand } from "./approvals.ts";
import type { Caller } from "./caller.ts";
import type { Action } from "./define-action.ts";
import type { Channel } from "./risk.ts";
import type { Target } from "./target.ts";

export interface Question {
  readonly caller: Caller;
  readonly action: Action;
  readonly target: Target;
  /** The parsed input; policies see the action's declared projection of it. */
  readonly input: Json;
  readonly channel: Channel;
  readonly now: Date;
  /** Canonical JSON of a policy document to judge by instead of the one in force (simulation alone). */
  readonly document?: string;
}

export interface Decision {
  readonly outcome: "permitted" | "forbidden" | "not-permitted" | "failed";
  /** The policies that decided, with the sentence that says why. */
  readonly policies: readonly { readonly id: string; readonly why: string }[];
  /** One sentence for a person: what decided, or who may do this. */
  readonly words: string;
}

/** Decisions by the account's policy document and the policies that ship with the hub. */
export interface Authorizer {
  /** Never throws for a policy's fault: an evaluation error is the outcome `failed`, which denies. */
  decide(question: Question): Promise<Decision>;
  /** Who has to agree to a permitted call. Throws POLICY_FAILED where a rule cannot be evaluated. */
  demand(question: Question): Promise<Demand>;
  /** Names of the actions that some input could be permitted for: what the caller is shown. */
  visible(caller: Caller): Promise<ReadonlySet<string>>;
  /** Equal for two callers, or for one at two moments, only where `visible` answers the same. */
  permissionSet(caller: Caller): Promise<string>;
}
