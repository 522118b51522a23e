import { FLEET_KINDS } from "../../contracts/fleet/object.ts";
import type { Json } from "../../contracts/formats/canonical-json.ts";
import { APPROVALS, CHANNELS, EFFECTS } from "../action/risk.ts";
import { type CedarEngine, type CedarSchemaJson, type CedarType, openEngine } from "./cedar-engine.ts";
import type { DeclaredAction } from "./declared-action.ts";
import { EnumTypes } from "./enum-types.ts";
import { type PolicyInput, policyInput } from "./policy-input.ts";
import { ENTITY_TYPES, PRINCIPAL_TYPES } from "./resource-types.ts";

/** What policies are written and checked against. Plain data: it crosses threads. Changes with the registry only. */
export interface PolicyVocabulary {
  readonly json: CedarSchemaJson;
  /** Permissions and their prefixes, `effect:...` and `approval:...`. */
  readonly groups: ReadonlySet<string>;
  /** Actions for which a policy may ask for less than their risk. */
  readonly mayLoosen: ReadonlySet<string>;
}

export interface CedarSchema extends PolicyVocabulary {
  readonly actions: ReadonlyMap<string, DeclaredAction>;
  /** The input as policies see it. Throws TypeError where it does not fit the declaration. */
  readonly project: (action: string, input: Json) => ReturnType<PolicyInput["project"]>;
}

type CedarActions = CedarSchemaJson[string]["actions"];

/**
 * One schema for all actions, the same whatever their order. An action is a member of its permission, of the
 * permission's prefixes (`system.fleet.write`, `system.fleet`, `system`) and of its risk's groups (`effect:write`).
 * Throws TypeError for a declaration that Cedar cannot hold.
 */
export function cedarSchema(declared: readonly DeclaredAction[]): CedarSchema {
  const enums = new EnumTypes();
  enums.declare("Effect", EFFECTS);
  enums.declare("Approval", APPROVALS);
  enums.declare("Channel", CHANNELS);
  enums.declare("FleetKind", FLEET_KINDS);

  const actions = new Map<string, DeclaredAction>();
  const groups: CedarActions = {};
  const calls: CedarActions = {};
  const inputs = new Map<string, PolicyInput>();
  for (const action of declared) {
    if (actions.has(action.name)) throw new TypeError(`two actions are called ${action.name}`);
    const input = policyInput(action.name, action.policyInput, enums);
    const memberOf = [action.permission, `effect:${action.risk.effect}`, `approval:${action.risk.approval}`];
    for (const group of memberOf) addGroup(groups, group);
    calls[action.name] = {
      memberOf: memberOf.map((id) => ({ id })),
      appliesTo: {
        principalTypes: [...PRINCIPAL_TYPES],
        resourceTypes: [...new Set(action.resource)].sort(),
        context: contextType(input.type),
      },
    };
    actions.set(action.name, action);
    inputs.set(action.name, input);
  }
  for (const name of actions.keys()) {
    if (name in groups) throw new TypeError(`${name} is the name of an action and of a permission`);
  }

  return {
    json: {
      "": {
        commonTypes: COMMON_TYPES,
        entityTypes: sorted({ ...enumTypes(enums), ...ENTITY_TYPES }),
        actions: sorted({ ...groups, ...calls }),
      },
    },
    actions,
    groups: new Set(Object.keys(groups).sort()),
    mayLoosen: new Set([...actions.values()].filter(({ risk }) => risk.loosens).map(({ name }) => name)),
    project: (action, input) => {
      const projection = inputs.get(action);
      if (!projection) throw new TypeError(`there is no action ${action}`);
      return projection.project(input);
    },
  };
}

/** The schema in Cedar's own notation, for people who write policies. */
export function cedarSchemaText(schema: CedarSchema, engine: CedarEngine = openEngine()): string {
  const answer = engine.schemaToText(schema.json);
  if (answer.type === "failure") throw new TypeError(answer.errors.map((error) => error.message).join("; "));
  return answer.text.replaceAll("__cedar::", ""); // nothing of ours has the name of a built-in type
}

const entity = (name: string): CedarType => ({ type: "Entity", name });
const common = (name: string): CedarType => ({ type: "EntityOrCommon", name });
const LONG: CedarType = { type: "Long" };

const COMMON_TYPES: NonNullable<CedarSchemaJson[string]["commonTypes"]> = {
  Risk: { type: "Record", attributes: { effect: entity("Effect"), approval: entity("Approval") } },
  // Cedar has no calendar and no modulo: what rules about hours need is worked out before. All in UTC
  Time: { type: "Record", attributes: { unix: LONG, weekday: LONG, minuteOfDay: LONG } },
};

function contextType(input: CedarType): CedarType {
  return {
    type: "Record",
    attributes: { input, risk: common("Risk"), channel: entity("Channel"), time: common("Time") },
  };
}

function addGroup(groups: CedarActions, name: string): void {
  const parts = name.split(".");
  const parent = parts.slice(0, -1).join(".");
  groups[name] ??= { memberOf: parent === "" ? [] : [{ id: parent }] };
  if (parent !== "") addGroup(groups, parent);
}

function enumTypes(enums: EnumTypes): CedarSchemaJson[string]["entityTypes"] {
  const types: CedarSchemaJson[string]["entityTypes"] = {};
  for (const [name, values] of enums.entries()) {
    if (Object.hasOwn(ENTITY_TYPES, name)) throw new TypeError(`the enum ${name} has the name of another type`);
    types[name] = { enum: [...values] };
  }
  return types;
}

function sorted<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
