import { HUB_ROLE } from "../../../contracts/identity/principal.ts";
import { HubError } from "../../errors.ts";
import type { PrincipalRow } from "./rows.ts";

/** The principal that was found, or NOT_FOUND: the same for another account's id as for one that never was. */
export function requirePrincipal(found: PrincipalRow | undefined): PrincipalRow {
  if (!found) throw new HubError("NOT_FOUND", "There is no such principal.", { path: "principalId" });
  return found;
}

/** Whether it may administer the account: a role that counts for operators alone. */
export function isAdmin({ kind, roles }: PrincipalRow): boolean {
  return kind === "operator" && roles.includes("admin");
}

/** Throws CONFLICT for the hub's own principal: nobody but the hub acts as it, and the account cannot do without. */
export function refuseHub({ roles }: PrincipalRow): void {
  if (!roles.includes(HUB_ROLE)) return;
  throw new HubError("CONFLICT", "This is the hub's own principal; it can neither be banned nor have a token.", {
    path: "principalId",
  });
}
