/** What the head of a policy lets through: `permit(principal in Role::"reader", action in Action::"effect:read", resource)`. */
import { type CedarSchemaJson, entityOf, type PolicyJson, sameEntity, type TypeAndId } from "./cedar-engine.ts";

export interface Scope {
  readonly principals: ReadonlySet<string>;
  readonly actions: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

type Constraint = PolicyJson["principal"] | PolicyJson["resource"];

/**
 * The types and actions for which a policy can apply at all. (`getValidRequestEnvsPolicy` answers the same and takes
 * 36 ms a policy with 150 actions.)
 */
export function scopeOf(schema: CedarSchemaJson, policy: PolicyJson): Scope {
  const { actions, entityTypes } = onlyNamespace(schema);
  const types = Object.keys(entityTypes);
  const principals = new Set(types.filter((type) => allowsType(policy.principal, type)));
  const resources = new Set(types.filter((type) => allowsType(policy.resource, type)));
  const names = Object.keys(actions).filter((name) => {
    const to = actions[name]?.appliesTo;
    return (
      to !== undefined &&
      allowsAction(schema, policy.action, name) &&
      to.principalTypes.some((type) => principals.has(type)) &&
      to.resourceTypes.some((type) => resources.has(type))
    );
  });
  return { principals, actions: new Set(names), resources };
}

/** Whether a head's constraint holds for someone who is these entities: themselves, their roles, their account. */
export function holdsFor(constraint: Constraint, self: readonly TypeAndId[]): boolean {
  const among = (target: Parameters<typeof entityOf>[0]) => self.some((one) => sameEntity(one, entityOf(target)));
  switch (constraint.op) {
    case "All":
      return true;
    case "is":
      return !constraint.in || ("entity" in constraint.in && among(constraint.in.entity)); // the type is in `principals`
    default:
      return "entity" in constraint && among(constraint.entity);
  }
}

export function onlyNamespace(schema: CedarSchemaJson): CedarSchemaJson[string] {
  const namespace = schema[""];
  if (!namespace) throw new Error("the schema has one namespace, without a name");
  return namespace;
}

function allowsType(constraint: Constraint, type: string): boolean {
  switch (constraint.op) {
    case "is":
      return constraint.entity_type === type;
    case "==":
      return "entity" in constraint && entityOf(constraint.entity).type === type;
    default:
      return true;
  }
}

function allowsAction(schema: CedarSchemaJson, constraint: PolicyJson["action"], name: string): boolean {
  if (constraint.op === "All") return true;
  if (constraint.op === "==") return "entity" in constraint && entityOf(constraint.entity).id === name;
  const named = "entities" in constraint ? constraint.entities : [constraint.entity];
  const within = ancestors(schema, name);
  return named.some((uid) => within.has(entityOf(uid).id));
}

/** An action and all groups that it is in. */
export function ancestors(schema: CedarSchemaJson, action: string): ReadonlySet<string> {
  const { actions } = onlyNamespace(schema);
  const found = new Set<string>();
  const add = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const group of actions[name]?.memberOf ?? []) add(group.id);
  };
  add(action);
  return found;
}
