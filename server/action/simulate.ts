import { acceptedOrThrow, type PolicyChecker } from "../domain/policy/policy-checker.ts";
import type { Caller } from "./caller.ts";

/** What would happen to a call, judged by the gate's own guards, without running it. */
export interface Simulation {
  readonly outcome: "runs" | "needs-confirmation" | "needs-approval" | "refused";
  readonly code?: string;
  /** One sentence for a person. */
  readonly words: string;
  readonly policies: { id: string; why: string }[];
  readonly needs?: { people: number; holding: string[]; rules: string[] };
}

export interface Simulator {
  /**
   * `as` is another principal of the caller's account; itself when absent. `document` is a policy document to judge by
   * instead of the one in force (its canonical JSON).
   */
  simulate(
    caller: Caller,
    question: { action: string; input: unknown; as?: string | undefined; document?: string | undefined },
  ): Promise<Simulation>;
}

/** Checks the document first, if one is given: what could not be put in force is not simulated. Throws POLICY_INVALID. */
export async function simulateCall(
  services: { policyChecker: PolicyChecker; simulator: Simulator },
  caller: Caller,
  { document, ...asked }: { action: string; input: unknown; as?: string | undefined; document?: unknown },
): Promise<Simulation> {
  const accepted = document === undefined ? undefined : acceptedOrThrow(await services.policyChecker.check(document));
  return services.simulator.simulate(caller, { ...asked, document: accepted?.canonical });
}
