import { v7 } from "uuid";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import { digest } from "../../contracts/formats/canonical-json.ts";
import type { Approvers, AskedCall } from "../action/approvers.ts";
import type { Authorizer, Question } from "../action/authorizer.ts";
import type { Caller } from "../action/caller.ts";
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
  const wouldPermit = async (caller: Caller, action: Action, call: AskedCall): Promise<boolean> => {
    const now = new Date();
    const input = JSON.parse(call.canonicalInput) as Record<string, Json>;
    const { channel } = call;
    const signal = AbortSignal.timeout(action.timeLimitMs);
    const context = { call: { id: v7(), caller, channel, signal, now }, services: services() };
    const { target: locate } = action;
    const target: Target =
      locate === "account"
        ? { type: "Account", id: caller.account.id }
        : await store.read(caller.account.id, async (read) => locate(input, { ...context, read }), signal);
    const question = { caller, action, target, input, channel, now };
    return engine.authorize(requestOf(question), await own(caller)).outcome === "permitted";
  };
  return {
    decide: async (question) => engine.authorize(requestOf(question), await judgedBy(question)),
    demand: async (question) => engine.intervene(requestOf(question), await judgedBy(question)),
    visible: async (caller) => new Set(engine.visible(askerOf(caller), actions, await own(caller))),
    mayDecide: async (caller, permission) => engine.holds(askerOf(caller), permission, await own(caller)),
    async mayHold(caller, permission, call) {
      if (!engine.holds(askerOf(caller), permission, await own(caller))) return false;
      const entry = registry.get(call.action);
      // an action that changed since is never carried out: nobody can agree to it
      if (entry?.schemaDigest !== call.schemaDigest) return false;
      const isItsOwn = `${entry.action.permission}.`.startsWith(`${permission}.`);
      return !isItsOwn || wouldPermit(caller, entry.action, call);
    },
    rolesHold: (roles, permission) =>
      engine.holds({ account: "", principal: { type: "Operator", id: "", roles } }, permission, shippedAlone),
  };
}

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
