/** The entity types that policies speak of, and what each can say. */
import type { RESOURCE_TYPES } from "../action/target.ts";
import type { CedarSchemaJson, CedarType } from "./cedar-engine.ts";

export type ResourceType = (typeof RESOURCE_TYPES)[number];
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];

export const PRINCIPAL_TYPES = ["Operator", "Agent", "Service"] as const;

type EntityTypes = CedarSchemaJson[string]["entityTypes"];

const STRING: CedarType = { type: "String" };
const entity = (name: string): CedarType => ({ type: "Entity", name });
const BOOLEAN: CedarType = { type: "Boolean" };
const optional = (type: CedarType): CedarType & { required: false } => ({ ...type, required: false });

const principal: EntityTypes[string] = {
  memberOfTypes: ["Account", "Role"],
  shape: {
    type: "Record",
    // `owner` is the person whom an operator is, or an agent answers to
    attributes: { account: entity("Account"), id: STRING, owner: optional(STRING) },
  },
};

// the id and not the entity: `resource in Role::"admin"` on a token would ask for its holder's roles, which no slice holds
const ofPrincipal: EntityTypes[string] = {
  memberOfTypes: ["Account"],
  shape: { type: "Record", attributes: { principalId: optional(STRING) } },
};

const ofRepository: EntityTypes[string] = {
  memberOfTypes: ["Account"],
  shape: { type: "Record", attributes: { repository: optional(STRING) } },
};

const resources: Record<ResourceType, EntityTypes[string]> = {
  Account: {},
  Operator: principal,
  Agent: principal,
  Service: principal,
  PersonKey: { memberOfTypes: ["Account"], shape: { type: "Record", attributes: { personId: optional(STRING) } } },
  Token: {
    memberOfTypes: ["Account"],
    // whether its holder is an operator with the role `admin`, told for the same reason as an attribute
    shape: {
      type: "Record",
      attributes: { principalId: optional(STRING), holderIsAdmin: optional(BOOLEAN) },
    },
  },
  ApprovalRequest: ofPrincipal,
  Receipt: ofPrincipal,
  FleetObject: {
    memberOfTypes: ["Account"],
    shape: {
      type: "Record",
      attributes: {
        kind: entity("FleetKind"),
        name: STRING,
        labels: entity("StringMap"),
        // the repository that the object is declared in
        owner: optional(STRING),
      },
    },
  },
  Operation: ofPrincipal,
  Credential: { memberOfTypes: ["Account"], shape: { type: "Record", attributes: { name: STRING } } },
  GitopsRepository: { memberOfTypes: ["Account"], shape: { type: "Record", attributes: { name: STRING } } },
  GitopsSyncRun: ofRepository,
  GitopsProposal: {
    memberOfTypes: ["Account"],
    // `changes` or `deletes`
    shape: { type: "Record", attributes: { repository: optional(STRING), riskClass: optional(STRING) } },
  },
};

/** Everything but the enums. `StringMap` holds an open map of strings as Cedar tags. */
export const ENTITY_TYPES: EntityTypes = { Role: {}, StringMap: { tags: STRING }, ...resources };

/** What a resource's plain data must and may hold, as `AuthzResource` tells. */
export const RESOURCE_DATA: Record<
  ResourceType,
  { readonly required: readonly string[]; readonly optional: readonly string[]; readonly mayBeUnknown: boolean }
> = {
  Account: { required: [], optional: [], mayBeUnknown: true },
  Operator: { required: ["roles"], optional: ["owner"], mayBeUnknown: true },
  Agent: { required: ["roles"], optional: ["owner"], mayBeUnknown: true },
  Service: { required: ["roles"], optional: ["owner"], mayBeUnknown: true },
  PersonKey: { required: ["personId"], optional: [], mayBeUnknown: true },
  Token: { required: ["principalId", "holderIsAdmin"], optional: [], mayBeUnknown: true },
  ApprovalRequest: { required: ["principalId"], optional: [], mayBeUnknown: true },
  Receipt: { required: [], optional: ["principalId"], mayBeUnknown: true },
  FleetObject: { required: ["kind", "name", "labels"], optional: ["owner"], mayBeUnknown: false },
  Operation: { required: ["principalId"], optional: [], mayBeUnknown: true },
  Credential: { required: ["name"], optional: [], mayBeUnknown: false },
  GitopsRepository: { required: ["name"], optional: [], mayBeUnknown: false },
  GitopsSyncRun: { required: ["repository"], optional: [], mayBeUnknown: true },
  GitopsProposal: { required: ["repository", "riskClass"], optional: [], mayBeUnknown: true },
};

export function isPrincipalType(type: string): type is PrincipalType {
  return (PRINCIPAL_TYPES as readonly string[]).includes(type);
}
