import type { FollowedEvent } from "../../domain/events/event-feed.ts";

/**
 * The paths of resources that read otherwise since an event: what it is about, and what shows it too. A request for
 * approval and a sync are operations as well, by the same id.
 */
export function touchedBy({ subject, data }: FollowedEvent): string[] {
  const [area, id] = subject.split("/");
  const { runId, repository, proposals, callId } = data;
  const paths = [subject];
  if (area === "approvals") paths.push(`operations/${id}`);
  if (area === "operations") paths.push(`gitops/sync-runs/${id}`);
  if (typeof runId === "string") paths.push(`gitops/sync-runs/${runId}`, `operations/${runId}`);
  if (typeof repository === "string") paths.push(`gitops/repositories/${repository}`);
  if (Array.isArray(proposals)) paths.push(...proposals.map((proposal) => `gitops/proposals/${String(proposal)}`));
  if (area === "calls" && typeof callId === "string") paths.push(`receipts/${callId}.outcome`);
  return paths;
}

/** What `resources/list` shows otherwise since an event, as the action that lists it; undefined where nothing. */
export function relisted({ type }: FollowedEvent): string | undefined {
  if (type.startsWith("approval.") && type !== "approval.decided") return "system_approval_list_requests";
  if (type === "fleet.object_created" || type === "fleet.object_deleted") return "system_fleet_list_objects";
  if (type.startsWith("gitops.proposal_")) return "system_gitops_list_proposals";
  if (type.startsWith("gitops.repository_")) return "system_gitops_list_repositories";
  if (type === "gitops.sync_completed" || type === "operations.failed") return "system_gitops_list_sync_runs";
  return undefined;
}

/** Whether it may alter what somebody is shown: a policy, a role, a ban, a person. */
export function governs({ type }: FollowedEvent): boolean {
  return type.startsWith("policy.") || type.startsWith("identity.");
}
