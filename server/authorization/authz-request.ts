import type { Json } from "../../contracts/formats/canonical-json.ts";
import type { Channel } from "../action/risk.ts";
import type { PrincipalType, ResourceType } from "./resource-types.ts";

/** Who asks. Read anew for each call. */
export interface AuthzPrincipal {
  readonly type: PrincipalType;
  readonly id: string;
  readonly roles: readonly string[];
  /** The person whom an operator is, or an agent answers to. */
  readonly owner?: string;
}

/** What is asked about, within the account of the call. */
export interface AuthzResource {
  readonly type: ResourceType;
  readonly id: string;
  /**
   * What policies may read; absent for an id that stands for nothing. Whoever gives any gives all, since a policy that
   * forbids would miss in silence what it cannot see:
   *
   * - Operator, Agent, Service: `roles` (array of strings), `owner` (id of a person, optional)
   * - Token, ApprovalRequest, Operation: `principalId`, whose it is; Receipt: the same, optional
   * - Token: `holderIsAdmin` besides, whether that is an operator with the role `admin`
   * - FleetObject: `kind`, `name`, `labels` (strings by name, `{}` for an object that is to be made), `owner` (optional);
   *   these are never absent
   * - GitopsRepository: `name`, never absent; GitopsSyncRun: `repository`, its name; GitopsProposal: `repository` and
   *   `riskClass`
   */
  readonly attributes?: Readonly<Record<string, Json>>;
}

/** One question to the policies, in plain data. */
export interface AuthzRequest {
  readonly account: string;
  readonly principal: AuthzPrincipal;
  readonly action: string;
  readonly resource: AuthzResource;
  /** The whole parsed input; policies see the action's declared projection of it. */
  readonly input: Json;
  readonly channel: Channel;
  readonly now: Date;
}
