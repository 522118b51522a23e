import type { Decision } from "../action/authorizer.ts";
import { raisedBy } from "../action/risk.ts";
import { demand, type Intervention } from "../approval/intervention.ts";
import type { PolicyChecker } from "../domain/policy/policy-checker.ts";
import { HubError } from "../errors.ts";
import type { AuthzRequest } from "./authz-request.ts";
import { type PolicyFile, parseBasePolicies } from "./base-policies.ts";
import { openEngine } from "./cedar-engine.ts";
import { type CedarSchema, cedarSchema } from "./cedar-schema.ts";
import { askSets, combine } from "./decide.ts";
import { failedInWords, type NamedReason } from "./decision-words.ts";
import type { DeclaredAction } from "./declared-action.ts";
import type { OwnPolicies } from "./own-policies.ts";
import { namedInHeads, permissionSet } from "./permission-set.ts";
import type { Policy } from "./policy.ts";
import type { ThreadLimits } from "./policy-check-thread.ts";
import { type CompiledCheck, PolicyDocuments } from "./policy-documents.ts";
import { type EvaluatorLimits, PolicyEvaluator } from "./policy-evaluator.ts";
import { type PolicySet, policySet } from "./policy-set.ts";
import { selfAndParents } from "./request-slice.ts";
import { ungovernable } from "./ungovernable.ts";
import { coveringPermits, visibleActions } from "./visible-actions.ts";

/** Who asks, without what is asked. */
export type Asker = Pick<AuthzRequest, "account" | "principal">;

export interface PolicyEngineOptions {
  readonly actions: readonly DeclaredAction[];
  /** What ships with the hub (`readBasePolicies()`), checked when it was built. */
  readonly base: readonly PolicyFile[];
  readonly limits?: { readonly evaluator?: EvaluatorLimits; readonly thread?: Partial<ThreadLimits> };
}

/**
 * Decides by the policies that ship with the hub and an account's own, in process (Cedar). One a process: its engine
 * takes 100 ms and 41 MB. Throws TypeError where a declaration or a shipped policy cannot be loaded.
 */
export class PolicyEngine implements PolicyChecker {
  readonly schema: CedarSchema;
  readonly #base: PolicySet;
  readonly #evaluator: PolicyEvaluator;
  readonly #documents: PolicyDocuments;
  /** Whom the heads of a document's policies name, and those of the shipped ones. */
  readonly #named = new WeakMap<OwnPolicies, ReadonlySet<string>>();

  constructor({ actions, base, limits = {} }: PolicyEngineOptions) {
    this.schema = cedarSchema(actions);
    const engine = openEngine();
    this.#base = policySet("base", parseBasePolicies(engine, this.schema, base));
    this.#evaluator = new PolicyEvaluator(this.schema, engine, limits.evaluator);
    this.#documents = new PolicyDocuments(this.schema, limits.thread);
  }

  /** Whether a call is permitted, and by what. Never throws for a policy's or a call's fault: that is `failed`, which denies. */
  authorize(request: AuthzRequest, own: OwnPolicies): Decision {
    const sets = [this.#base, own.policies];
    return combine(request.action, sets, askSets(this.schema, this.#evaluator, sets, request));
  }

  /** Who has to agree to a permitted call. Throws POLICY_FAILED where a rule cannot be evaluated. */
  intervene(request: AuthzRequest, own: OwnPolicies): Intervention {
    const answers = askSets(this.schema, this.#evaluator, [own.rules], request);
    const faults = answers.flatMap((answer) => answer.faults);
    const declared = this.schema.actions.get(request.action);
    if (faults.length > 0 || !declared) throw new HubError("POLICY_FAILED", failedInWords(request.action, faults));
    const ids = answers.flatMap(({ deciding }) => deciding);
    const matched = ids
      .map((id) => own.ruleById.get(id))
      .filter((rule) => rule !== undefined)
      // nothing is agreed to before a read: a rule over a group that holds reads asks for the others alone
      .filter(({ outcome }) => declared.risk.effect !== "read" || outcome === "forbid");
    const { risk } = declared;
    const raised = raisedBy(risk, request.input);
    return demand(raised ?? risk.approval, raised === undefined && risk.loosens, matched);
  }

  /**
   * Those of `actions` that some resource and input could be permitted for. Decided without the engine: never hides a
   * permitted action, and shows one too many where a condition is never true for this principal.
   */
  visible(asker: Asker, actions: readonly string[], own: OwnPolicies): string[] {
    const visible = this.#visible(asker, own);
    for (const [id, { outcome, when, resource, loosens }] of own.ruleById) {
      const always = outcome === "forbid" && when === undefined && resource === undefined && !loosens;
      if (always) for (const action of own.rules.policies.get(id)?.scope.actions ?? []) visible.delete(action);
    }
    return actions.filter((action) => visible.has(action));
  }

  /** The same for two askers only where `visible` is: a list made for one may be shown to the other. */
  permissionSet({ account, principal }: Asker, own: OwnPolicies): string {
    let named = this.#named.get(own);
    if (!named) this.#named.set(own, (named = namedInHeads(this.#policies(own))));
    return `${own.policyHash} ${permissionSet(principal.type, selfAndParents(account, principal), named)}`;
  }

  /** Whether this principal may use a permission (or one below it) for anything at all: what `holding` in a demand asks. */
  holds(asker: Asker, permission: string, own: OwnPolicies): boolean {
    const visible = this.#visible(asker, own);
    return [...this.schema.actions.values()].some((action) => {
      return visible.has(action.name) && `${action.permission}.`.startsWith(`${permission}.`);
    });
  }

  /** The permits that cover an action, whoever they are for. */
  covering(action: string, own: OwnPolicies): NamedReason[] {
    return coveringPermits(this.#policies(own), action);
  }

  /**
   * Strict load of a policy document from anybody, in a thread with limits. A document that nobody could replace, or
   * that keeps people from deciding, is a problem too.
   */
  async check(document: unknown): Promise<CompiledCheck> {
    const found = await this.#documents.check(document);
    const problems = found.compiled ? ungovernable(this, found.compiled) : [];
    return problems.length > 0 ? { problems } : found;
  }

  /**
   * The document in force, kept ready by its hash; `read` gives its canonical JSON where it is not at hand. Throws
   * POLICY_FAILED where that is another text, or does not fit the actions of this hub.
   */
  own(policyHash: string, read: () => Promise<string>): Promise<OwnPolicies> {
    return this.#documents.own(policyHash, read);
  }

  close(): Promise<void> {
    return this.#documents.close();
  }

  #policies(own: OwnPolicies): Policy[] {
    return [...this.#base.policies.values(), ...own.policies.policies.values()];
  }

  #visible({ account, principal }: Asker, own: OwnPolicies): Set<string> {
    return visibleActions(this.#policies(own), principal.type, selfAndParents(account, principal));
  }
}
