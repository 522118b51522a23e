import { v7 } from "uuid";
import {
  HUB_PRINCIPAL_NAME,
  type PrincipalKind,
  type PrincipalShape,
  ROLES,
  ROLES_OF_KIND,
  type Role,
} from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { ActingCall, IdentityChange } from "./acting-call.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { PersonRow } from "./rows.ts";
import { principalView } from "./views.ts";

export interface CreatePrincipalInput {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Who an operator is. */
  readonly personId?: string | undefined;
  /** Who an agent answers to; the caller's own person where absent. */
  readonly ownerPersonId?: string | undefined;
}

interface Plan {
  readonly person?: PersonRow;
  readonly owner?: PersonRow;
}

/**
 * Creates a principal without a token. Throws INPUT_INVALID (roles or people that this kind does not have), NOT_FOUND
 * (no such person), ALREADY_EXISTS (the name is taken).
 */
export async function createPrincipal(
  { identity, events }: IdentityChange,
  input: CreatePrincipalInput,
  { now, caller }: ActingCall,
): Promise<{ principal: PrincipalShape }> {
  const { person, owner } = await plan(identity, input, caller);
  const { kind, name, roles } = input;
  const principal = {
    ...{ id: v7(), kind, name, roles, createdAt: now },
    ...(person && { personId: person.id }),
    ...(owner && { ownerPersonId: owner.id }),
  };
  await identity.addPrincipal(principal);
  await events.emit({
    type: "identity.principal_created",
    subject: `identity/principal/${principal.id}`,
    data: { kind, roles, by: caller.principal.id },
  });
  return { principal: principalView({ ...principal, version: 1, ...(person && { person }), ...(owner && { owner }) }) };
}

/** What approvers see; refuses what could never succeed. */
export async function previewCreatePrincipal(
  identity: IdentityReader,
  input: CreatePrincipalInput,
  { caller }: Pick<ActingCall, "caller">,
): Promise<Preview> {
  const { person, owner } = await plan(identity, input, caller);
  const whose = owner ? `, which answers to ${owner.name}` : person ? `, in the name of ${person.name}` : "";
  return {
    headline: `${caller.principal.name} asks to create the ${input.kind} "${input.name}"${whose}`,
    changes: rolesInWords(input.roles),
  };
}

/** One line a role: what it lets its holder do. */
export function rolesInWords(roles: readonly Role[]): Preview["changes"] {
  return roles.map((name) => ({ field: `role ${name}`, after: ROLES[name] }));
}

/** Throws ALREADY_EXISTS where a principal of that name is there, or the name is the hub's own. */
export async function refuseTakenName(identity: IdentityReader, name: string, path: string): Promise<void> {
  if (name.toLowerCase() !== HUB_PRINCIPAL_NAME && !(await identity.principalNamed(name))) return;
  const message = `The name "${name}" is taken by another principal; people tell them apart by name, so choose another.`;
  throw new HubError("ALREADY_EXISTS", message, { path });
}

/** Throws INPUT_INVALID where this kind of principal cannot hold one of the roles. */
export function refuseForeignRoles(kind: PrincipalKind, roles: readonly Role[]): void {
  const index = roles.findIndex((name) => !ROLES_OF_KIND[kind].includes(name));
  if (index < 0) return;
  const message = `roles[${index}]: an ${kind} cannot hold "${roles[index]}"; it can hold ${ROLES_OF_KIND[kind].join(", ")}.`;
  throw new HubError("INPUT_INVALID", message.replace("an service", "a service"), { path: `roles[${index}]` });
}

async function plan(
  identity: IdentityReader,
  { kind, name, roles, personId, ownerPersonId }: CreatePrincipalInput,
  caller: ActingCall["caller"],
): Promise<Plan> {
  refuseForeignRoles(kind, roles);
  if (personId !== undefined && kind !== "operator") throw misplaced("personId", "only an operator is a person");
  if (ownerPersonId !== undefined && kind !== "agent") throw misplaced("ownerPersonId", "only an agent has an owner");
  await refuseTakenName(identity, name, "name");
  switch (kind) {
    case "operator":
      if (personId === undefined) throw misplaced("personId", "an operator needs the person that it is");
      return { person: await personOf(identity, personId, "personId") };
    case "agent": {
      const ownerId = ownerPersonId ?? caller.principal.personId ?? caller.principal.ownerPersonId;
      if (ownerId === undefined) throw misplaced("ownerPersonId", "an agent needs a person that it answers to");
      return { owner: await personOf(identity, ownerId, "ownerPersonId") };
    }
    case "service":
      return {};
  }
}

async function personOf(identity: IdentityReader, id: string, path: string): Promise<PersonRow> {
  const person = await identity.person(id);
  if (!person) throw new HubError("NOT_FOUND", "There is no such person.", { path });
  return person;
}

function misplaced(path: string, what: string): HubError {
  return new HubError("INPUT_INVALID", `${path}: ${what}`, { path });
}
