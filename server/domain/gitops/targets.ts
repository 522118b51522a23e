import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { canonicalize, digest } from "../../../contracts/formats/canonical-json.ts";
import type { FleetReader } from "../fleet/fleet-store.ts";
import { refText } from "../fleet/references.ts";
import type { GitopsReader, Proposal } from "./gitops-store.ts";

/** What policies and approvals know of the things of Git. */

export const RUN_SUBJECT = (repository: string): string => `gitops/repositories/${repository}`;

/** As what a repository uses a stored credential. */
export const GITOPS_CONSUMER = (repository: string): string => `gitops/${repository}`;

export async function repositoryTarget(gitops: GitopsReader, name: string) {
  const found = await gitops.repository(name);
  return { type: "GitopsRepository" as const, id: name, version: found?.id ?? "absent", attributes: { name } };
}

export async function runTarget(gitops: GitopsReader, runId: string) {
  const run = await gitops.run(runId);
  return { type: "GitopsSyncRun" as const, id: runId, ...(run && { attributes: { repository: run.repository } }) };
}

/**
 * A proposal never changes: its digest is its version. Who forces it agrees to overwrite its objects as they are now, so
 * that their versions belong to it too.
 */
export async function proposalTarget(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  { proposalId, force = false }: { readonly proposalId: string; readonly force?: boolean },
) {
  const type = "GitopsProposal" as const;
  const proposal = await read.gitops.proposal(proposalId);
  if (!proposal) return { type, id: proposalId };
  const { repository, riskClass } = proposal;
  const version = force
    ? versionOver(proposal, await read.fleet.find(await read.gitops.items(proposalId)))
    : proposal.digest;
  return { type, id: proposalId, version, attributes: { repository, riskClass } };
}

/** What forcing a proposal is agreed to: its content, over its objects in just these versions. */
export function versionOver({ digest: content }: Proposal, live: readonly LiveFleetObject[]): string {
  const versions = live.map((object) => [refText(object), object.version, object.createdAt] as const);
  const sorted = versions.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${content} over ${digest(canonicalize(sorted))}`;
}
