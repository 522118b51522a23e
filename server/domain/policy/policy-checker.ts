import type { InterventionRule, PolicyDocument } from "../../../contracts/policy/policy-document.ts";
import { HubError } from "../../errors.ts";

/** What is wrong with a policy document, and where. */
export interface PolicyProblem {
  /** Into the document: `authorization.cedar`, `intervention.rules[2].when`; for a policy that ships with the hub, its file. */
  readonly path: string;
  /** From 1, within the text at `path`; absent where the fault is in the document's shape. */
  readonly line?: number;
  readonly column?: number;
  /** Id of the policy or rule. */
  readonly policy?: string;
  readonly message: string;
  readonly help?: string;
}

/** One Cedar policy as people compare it. */
export interface PolicySummary {
  readonly id: string;
  readonly why: string;
  readonly effect: "permit" | "forbid";
  readonly text: string;
}

/** What a document says, taken apart by the names that people know. */
export interface PolicyOutline {
  readonly policies: readonly PolicySummary[];
  readonly rules: readonly InterventionRule[];
}

export interface AcceptedPolicy {
  readonly document: PolicyDocument;
  /** RFC 8785. */
  readonly canonical: string;
  /** Hex SHA-256 of `canonical`: the `policy_hash` of receipts. */
  readonly hash: string;
  readonly outline: PolicyOutline;
}

/** `accepted` is there if and only if `problems` is empty. */
export interface PolicyCheck {
  readonly problems: readonly PolicyProblem[];
  readonly accepted?: AcceptedPolicy;
}

/** Strict load of a policy document, which may come from anybody: limits on size, depth and time are part of it. */
export interface PolicyChecker {
  check(document: unknown): Promise<PolicyCheck>;
}

/** `authorization.cedar:3:14 (night-shift): ...`, for a terminal or a chat. */
export function problemInWords(problem: PolicyProblem): string {
  const { path, line, column, policy, message, help } = problem;
  const place = line === undefined ? path : `${path}:${line}:${column ?? 1}`;
  const where = policy === undefined ? place : `${place} (${policy})`;
  return `${where === "" ? "" : `${where}: `}${message}${help === undefined ? "" : `; ${help}`}`;
}

/** The accepted document, or POLICY_INVALID with the first problem in words, its path, and all of them as details. */
export function acceptedOrThrow(check: PolicyCheck): AcceptedPolicy {
  if (check.accepted) return check.accepted;
  const [first] = check.problems;
  if (!first) throw new Error("a policy check without problems accepts the document");
  const more = check.problems.length > 1 ? ` (and ${check.problems.length - 1} more)` : "";
  throw new HubError("POLICY_INVALID", `The policy document is not valid: ${problemInWords(first)}${more}`, {
    path: first.path,
    details: { problems: check.problems },
  });
}
