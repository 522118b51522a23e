import type { PrincipalKind } from "../../../contracts/identity/principal.ts";
import { isAdmin } from "./find-principal.ts";
import type { IdentityReader } from "./identity-store.ts";
import type { PrincipalRow } from "./rows.ts";

const TYPE = { operator: "Operator", agent: "Agent", service: "Service" } as const satisfies Record<
  PrincipalKind,
  string
>;

export interface PrincipalTarget {
  readonly type: (typeof TYPE)[PrincipalKind];
  readonly id: string;
  readonly version?: string;
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
}

/** What policies and approvals know of a principal. An id that stands for nothing has neither version nor attributes. */
export async function principalTarget(identity: IdentityReader, id: string): Promise<PrincipalTarget> {
  const found = await identity.principal(id);
  return found ? targetOf(found) : { type: "Agent", id };
}

function targetOf({ id, kind, version, roles, person, owner }: PrincipalRow): PrincipalTarget {
  const personId = person?.id ?? owner?.id;
  return {
    type: TYPE[kind],
    id,
    version: String(version),
    attributes: { roles, ...(personId !== undefined && { owner: personId }) },
  };
}

export async function tokenTarget(identity: IdentityReader, id: string) {
  const token = await identity.token(id);
  if (!token) return { type: "Token" as const, id };
  const { principalId } = token;
  const holder = await identity.principal(principalId);
  const holderIsAdmin = holder !== undefined && isAdmin(holder);
  return { type: "Token" as const, id, attributes: { principalId, holderIsAdmin } };
}

export async function keyTarget(identity: IdentityReader, id: string) {
  const key = await identity.key(id);
  return { type: "PersonKey" as const, id, ...(key && { attributes: { personId: key.personId } }) };
}

/** The account by its profile: what was approved for one profile is not done in the other. */
export async function profileTarget(identity: IdentityReader) {
  const { id, profile } = await identity.account();
  return { type: "Account" as const, id, version: profile };
}
