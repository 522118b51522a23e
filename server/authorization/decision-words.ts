import type { Fault } from "./policy-evaluator.ts";

/** A policy or a rule as people name it. */
export interface NamedReason {
  readonly id: string;
  readonly why: string;
}

const MOST_NAMED = 5;

/** `role/reader (Readers may read.)`, at most five of them. */
export function inWords(reasons: readonly NamedReason[]): string {
  const named = reasons.slice(0, MOST_NAMED).map(({ id, why }) => (why === "" ? id : `${id} (${why})`));
  const left = reasons.length - named.length;
  return named.join(", ") + (left > 0 ? ` and ${left} more` : "");
}

export function permittedInWords(policies: readonly NamedReason[]): string {
  return `Permitted by ${inWords(policies)}.`;
}

export function forbiddenInWords(action: string, policies: readonly NamedReason[]): string {
  return `${action} is forbidden by ${inWords(policies)}.`;
}

/** `covering` are the permits of this action, whoever they are for: they tell whom to ask. */
export function notPermittedInWords(action: string, covering: readonly NamedReason[]): string {
  const who = covering.length === 0 ? "No policy permits it to anybody." : `Who may: ${inWords(covering)}.`;
  return `No policy permits ${action} to this principal. ${who}`;
}

export function failedInWords(action: string, faults: readonly Fault[]): string {
  const told = faults.map(({ policy, what }) => (policy === undefined ? what : `${policy}: ${what}`));
  return `${action} is refused because the policies could not be evaluated: ${[...new Set(told)].slice(0, MOST_NAMED).join("; ")}.`;
}
