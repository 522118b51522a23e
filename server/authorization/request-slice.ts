/**
 * A request as entities. Cedar answers questions about an entity or a parent that is not there with "no", and no error
 * tells: a forbid then misses in silence. So whatever a policy may ask about is built here, in one place, and data that
 * lacks a part is refused.
 */
import type { Json } from "../../contracts/formats/canonical-json.ts";
import { raisedBy } from "../action/risk.ts";
import type { AuthzPrincipal, AuthzRequest, AuthzResource } from "./authz-request.ts";
import { type CedarValueJson, type EntityJson, sameEntity, type TypeAndId } from "./cedar-engine.ts";
import type { CedarSchema } from "./cedar-schema.ts";
import { showStringMap } from "./policy-input.ts";
import { isPrincipalType, RESOURCE_DATA } from "./resource-types.ts";

export interface Slice {
  readonly principal: TypeAndId;
  readonly action: string;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  /** The principal and the resource, with their parents. */
  readonly entities: readonly EntityJson[];
  /** The entities that hold open maps of strings: `hasTag` and `getTag` alone look into them. */
  readonly maps: readonly EntityJson[];
}

/** What a principal is a member of, itself included: the heads of policies ask for these. */
export function selfAndParents(account: string, { type, id, roles }: AuthzPrincipal): TypeAndId[] {
  return [{ type, id }, { type: "Account", id: account }, ...roles.map((role) => ({ type: "Role", id: role }))];
}

/**
 * `readsInput` false leaves `context.input` out, where no policy that is asked reads it. Throws TypeError for data that
 * is not whole; its message names fields and no values.
 */
export function sliceOf(schema: CedarSchema, request: AuthzRequest, readsInput: boolean): Slice {
  const { account, action, channel, now } = request;
  const declared = schema.actions.get(action);
  if (!declared) throw new TypeError(`there is no action ${action}`);
  const entities = [principalEntity(account, request.principal)];
  const shown = readsInput ? schema.project(action, request.input) : undefined;
  const maps: EntityJson[] = [...(shown?.maps ?? [])];
  const resource = { type: request.resource.type, id: request.resource.id };
  // who acts on themselves is one entity, told once
  if (!sameEntity(resource, request.principal)) entities.push(resourceEntity(account, request.resource, maps));
  return {
    principal: { type: request.principal.type, id: request.principal.id },
    action,
    resource,
    context: {
      ...(shown && { input: shown.input }),
      risk: {
        effect: { type: "Effect", id: declared.risk.effect },
        approval: { type: "Approval", id: raisedBy(declared.risk, request.input) ?? declared.risk.approval },
      },
      channel: { type: "Channel", id: channel },
      time: timeOf(now),
    },
    entities,
    maps,
  };
}

function principalEntity(account: string, principal: AuthzPrincipal): EntityJson {
  const [uid, ...parents] = selfAndParents(account, principal);
  if (!uid) throw new Error("a principal is always itself");
  return {
    uid,
    attrs: {
      account: { type: "Account", id: account },
      id: principal.id,
      ...(principal.owner !== undefined && { owner: principal.owner }),
    },
    parents,
  };
}

function resourceEntity(account: string, resource: AuthzResource, maps: EntityJson[]): EntityJson {
  const { type, id } = resource;
  const data = dataOf(resource);
  if (type === "Account") return { uid: { type, id }, attrs: {}, parents: [] };
  if (isPrincipalType(type)) {
    const roles = data["roles"] === undefined ? [] : stringsOf(data["roles"], `${type} roles`);
    const owner = data["owner"] === undefined ? {} : { owner: stringOf(data["owner"], `${type} owner`) };
    return principalEntity(account, { type, id, roles, ...owner });
  }
  const attrs = Object.entries(data).map(([name, value]) => [name, attribute(name, value, maps)] as const);
  return { uid: { type, id }, attrs: Object.fromEntries(attrs), parents: [{ type: "Account", id: account }] };
}

/** The resource's data, whole or (for an id that stands for nothing) not at all. */
function dataOf({ type, attributes }: AuthzResource): Readonly<Record<string, Json>> {
  const { required, optional, mayBeUnknown } = RESOURCE_DATA[type];
  if (!attributes && mayBeUnknown) return {};
  const data = Object.fromEntries(Object.entries(attributes ?? {}).filter(([, value]) => value !== null));
  const missing = required.find((name) => !Object.hasOwn(data, name));
  if (missing !== undefined) throw new TypeError(`a ${type} without ${missing}: policies would miss it`);
  const unknown = Object.keys(data).find((name) => !required.includes(name) && !optional.includes(name));
  if (unknown !== undefined) throw new TypeError(`a ${type} with ${unknown}, which policies do not know`);
  return data;
}

function attribute(name: string, value: Json, maps: EntityJson[]): CedarValueJson {
  switch (name) {
    case "labels":
      return showStringMap(value, "resource.labels", maps);
    case "kind":
      return { type: "FleetKind", id: stringOf(value, name) };
    case "holderIsAdmin":
      return booleanOf(value, name);
    default:
      return stringOf(value, name);
  }
}

/** UTC; `weekday` counts from 1, Monday, to 7 (ISO 8601). */
function timeOf(now: Date): CedarValueJson {
  return {
    unix: Math.floor(now.getTime() / 1000),
    weekday: now.getUTCDay() || 7,
    minuteOfDay: now.getUTCHours() * 60 + now.getUTCMinutes(),
  };
}

function stringOf(value: Json, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} must be a string`);
  return value;
}

function booleanOf(value: Json, what: string): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${what} must be a boolean`);
  return value;
}

function stringsOf(value: Json, what: string): string[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array`);
  return value.map((item: Json) => stringOf(item, what));
}
