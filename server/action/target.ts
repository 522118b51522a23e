import type { Json } from "../../contracts/formats/canonical-json.ts";

export const RESOURCE_TYPES = [
  "Account",
  "Operator",
  "Agent",
  "Service",
  "Token",
  "PersonKey",
  "ApprovalRequest",
  "Receipt",
  "FleetObject",
  "GitopsRepository",
  "GitopsSyncRun",
  "GitopsProposal",
  "Operation",
  "Credential",
] as const;

/** What a call is about: Cedar's resource, and what a request for approval is bound to. */
export interface Target {
  readonly type: (typeof RESOURCE_TYPES)[number];
  readonly id: string;
  /** Changes whenever the thing changes; a request approved for another version is stale. Absent: nothing to move. */
  readonly version?: string;
  /** What policies may read as `resource.<name>`. */
  readonly attributes?: Readonly<Record<string, Json>>;
}
