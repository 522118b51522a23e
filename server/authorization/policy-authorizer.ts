import { v7 } from "uuid";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import { digest } from "../../contracts/formats/canonical-json.ts";
import type { Approvers, AskedCall } from "../action/approvers.ts";
import type { Authorizer, Question } from "../action/authorizer.ts";
import type { Caller } from "../action/caller.ts";
import type { ReadContext } from "../action/context.ts";
import type { Action } from "../action/define-action.ts";
import type { Registry } from "../action/registry.ts";
import type { Services } from "../action/services.ts";
import type { Store } from "../action/store.ts";
import type { Target } from "../action/target.ts";
import { DEFAULT_POLICY } from "../domain/policy/default-document.ts";
import type { AuthzPrincipal, AuthzRequest } from "./authz-request.ts";
import type { OwnPolicies } from "./own-policies.ts";
import type { PolicyEngine } from "./policy-engine.ts";

const TYPES = { operator: "Operator", agent: "Agent", service: "Service" } as const;

/** The gate's authorizer and the approvals' judge of approvers: the engine, asked about each account's own document. */
export async function createPolicyAuthorizer(
  engine: PolicyEngine,
  registry: Registry,
  store: Pick<Store, "read">,
  services: () => Services,
): Promise<Authorizer & Approvers> {
  const shippedAlone = await engine.own(DEFAULT_POLICY.hash, async () => DEFAULT_POLICY.canonical);
  const actions = registry.list().map(({ action }) => action.name);
  const own = (caller: Caller): Promise<OwnPolicies> =>
    engine.own(caller.policy.hash, () =>
      store.read(caller.account.id, async (r) => (await r.policy.version(caller.policy.version))?.document ?? ""),
    );
  const judgedBy = ({ caller, document }: Question): Promise<OwnPolicies> =>
    document === undefined ? own(caller) : engine.own(digest(document), async () => document);
  /** Whether the caller would be permitted the call itself, and each that it amounts to, of those that need `permission`. */
  const wouldPermit = async (caller: Caller, action: Action, permission: string, call: AskedCall): Promise<boolean> => {
    const now = new Date();
    const input = JSON.parse(call.canonicalInput) as Record<string, Json>;
    const { channel } = call;
    const signal = AbortSignal.timeout(action.timeLimitMs);
    const context = { call: { id: v7(), caller, channel, signal, now }, services: services() };
    const look = <T>(fn: (context: ReadContext) => Promise<T> | T): Promise<T> =>
      store.read(caller.account.id, async (read) => fn({ ...context, read }), signal);
    const permits = async (about: { action: Action; input: Record<string, Json>; target: Target }) =>
      !needs(about.action, permission) ||
      engine.authorize(requestOf({ caller, channel, now, ...about }), await own(caller)).outcome === "permitted";
    const { target: locate, amountsTo } = action;
    const target: Target =
      locate === "account"
        ? { type: "Account", id: caller.account.id }
        : await look((context) => locate(input, context));
    if (!(await permits({ action, input, target }))) return false;
    for (const other of amountsTo ? await look((context) => amountsTo(input, context)) : []) {
      const part = registry.get(other.action)?.action;
      if (!part || !(await permits({ action: part, input: { ...other.input }, target: other.target }))) return false;
    }
    return true;
  };
  return {
    decide: async (question) => engine.authorize(requestOf(question), await judgedBy(question)),
    demand: async (question) => engine.intervene(requestOf(question), await judgedBy(question)),
    visible: async (caller) => new Set(engine.visible(askerOf(caller), actions, await own(caller))),
    permissionSet: async (caller) => engine.permissionSet(askerOf(caller), await own(caller)),
    mayDecide: async (caller, permission) => engine.holds(askerOf(caller), permission, await own(caller)),
    async mayHold(caller, permission, call) {
      if (!engine.holds(askerOf(caller), permission, await own(caller))) return false;
      const entry = registry.get(call.action);
      // an action that changed since is never carried out: nobody can agree to it
      if (entry?.schemaDigest !== call.schemaDigest) return false;
      return wouldPermit(caller, entry.action, permission, call);
    },
    rolesHold: (roles, permission) =>
      engine.holds({ account: "", principal: { type: "Operator", id: "", roles } }, permission, shippedAlone),
  };
}

/** Whether the permission is the action's own, or one above it. */
const needs = (action: Action, permission: string): boolean => `${action.permission}.`.startsWith(`${permission}.`);

function requestOf({ caller, action, target, input, channel, now }: Question): AuthzRequest {
  const { type, id, attributes } = target;
  return {
    ...askerOf(caller),
    action: action.name,
    resource: { type, id, ...(attributes && { attributes }) },
    input,
    channel,
    now,
  };
}

function askerOf({ account, principal }: Caller): { account: string; principal: AuthzPrincipal } {
  const owner = principal.personId ?? principal.ownerPersonId;
  return {
    account: account.id,
    principal: {
      type: TYPES[principal.kind],
      id: principal.id,
      roles: principal.roles,
      ...(owner !== undefined && { owner }),
    },
  };
}
