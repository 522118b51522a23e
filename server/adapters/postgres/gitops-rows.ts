import type { ItemAction, ProposalState, RiskClass } from "../../../contracts/gitops/proposal.ts";
import type { SyncCounts, SyncProblem } from "../../../contracts/gitops/sync-run.ts";
import type { FleetRef } from "../../domain/fleet/fleet-store.ts";
import type { GitCommit } from "../../domain/gitops/git-mirror.ts";
import type {
  LastChange,
  Proposal,
  ProposedItem,
  Repository,
  RepositoryStanding,
  SyncRun,
} from "../../domain/gitops/gitops-store.ts";
import { statusOf } from "../../domain/gitops/views.ts";
import type { OperationState } from "../../domain/operations/operation-store.ts";
import { OPERATION_COLUMNS, type OperationRow, operationOf } from "./operation-store.ts";

/** A commit as it is kept: the time as text. */
type KeptCommit = Omit<GitCommit, "committedAt"> & { readonly committedAt: string };

const commitOf = (kept: KeptCommit): GitCommit => ({ ...kept, committedAt: new Date(kept.committedAt) });

export interface RepositoryRow {
  id: string;
  name: string;
  url: string;
  branch: string;
  path: string;
  credential_id: string | null;
  credential_name: string | null;
  head: KeptCommit | null;
  synced_at: Date | null;
  created_by: string;
  created_at: Date;
}

export interface StandingRow extends RepositoryRow {
  objects: string;
  open_proposals: string[];
  run_id: string | null;
  run_state: OperationState | null;
  run_problems: SyncProblem[] | null;
  run_error: string | null;
}

const REPOSITORY_COLUMNS = `r.id, r.name, r.url, r.branch, r.path, r.credential_id,
    (select c.name from credential c where c.id = r.credential_id) as credential_name,
    r.head, r.synced_at, r.created_by, r.created_at`;

export const REPOSITORIES = `select ${REPOSITORY_COLUMNS} from gitops_repository r`;

export const STANDINGS = `
  select ${REPOSITORY_COLUMNS},
    (select count(*) from fleet_object f where f.owner = r.name) as objects,
    array(select p.id::text from gitops_proposal p where p.repository_id = r.id and p.state = 'open' order by p.risk_class) as open_proposals,
    run.id as run_id, run.state as run_state, run.problems as run_problems, run.error_code as run_error
  from gitops_repository r
  left join lateral (
    select s.id, o.state, s.problems, o.error_code from gitops_sync_run s
    join operation o on (o.account_id, o.id) = (s.account_id, s.id)
    where s.repository_id = r.id order by s.id desc limit 1) run on true`;

export function repositoryOf(row: RepositoryRow): Repository {
  const { id, name, url, branch, path, head, synced_at, created_by: createdBy, created_at: createdAt } = row;
  const { credential_id, credential_name } = row;
  return {
    id,
    name,
    url,
    branch,
    path,
    createdBy,
    createdAt,
    ...(credential_id !== null &&
      credential_name !== null && { credential: { id: credential_id, name: credential_name } }),
    ...(head && { head: commitOf(head) }),
    ...(synced_at && { syncedAt: synced_at }),
  };
}

export function standingOf(row: StandingRow): RepositoryStanding {
  const { run_id: id, run_state: state, run_problems: problems, run_error: errorCode } = row;
  return {
    ...repositoryOf(row),
    objects: Number(row.objects),
    openProposals: row.open_proposals,
    ...(id !== null &&
      state !== null && {
        lastRun: { id, status: statusOf(state, problems ?? []), ...(errorCode !== null && { errorCode }) },
      }),
  };
}

export interface RunRow extends OperationRow {
  repository_id: string;
  repository: string;
  accepts_rewrite: boolean;
  commit: KeptCommit | null;
  previous_commit: string | null;
  counts: SyncCounts | null;
  proposal_ids: string[];
  problems: SyncProblem[];
}

export const RUNS = `
  select ${OPERATION_COLUMNS}, s.repository_id, r.name as repository, s.accepts_rewrite, s.commit, s.previous_commit, s.counts, s.proposal_ids, s.problems
  from gitops_sync_run s
  join operation o on (o.account_id, o.id) = (s.account_id, s.id)
  join gitops_repository r on (r.account_id, r.id) = (s.account_id, s.repository_id)`;

export function runOf(row: RunRow): SyncRun {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    repository: row.repository,
    acceptsRewrite: row.accepts_rewrite,
    operation: operationOf(row),
    ...(row.commit && { commit: commitOf(row.commit) }),
    ...(row.previous_commit !== null && { previousCommit: row.previous_commit }),
    ...(row.counts && { counts: row.counts }),
    proposalIds: row.proposal_ids,
    problems: row.problems,
  };
}

export interface ProposalRow {
  id: string;
  repository_id: string;
  repository: string;
  run_id: string;
  commit: KeptCommit;
  risk_class: RiskClass;
  state: ProposalState;
  digest: string;
  salt: Buffer;
  items: number;
  created_at: Date;
  closed_at: Date | null;
  closed_by: string | null;
  reason: string | null;
  forced: boolean;
}

/** An object that is not as an item found it; live times are kept in microseconds, items hold what callers see. */
const MOVED = `exists (
  select from gitops_proposal_item i left join fleet_object f on (f.account_id, f.kind, f.name) = (i.account_id, i.kind, i.name)
  where i.proposal_id = p.id and (f.version is distinct from i.base_version or f.owner is distinct from i.base_owner
    or date_trunc('milliseconds', f.created_at) is distinct from i.base_born))`;

/** As `state` counts: an open proposal whose objects moved is stale. */
export const STATE = `case when p.state = 'open' and ${MOVED} then 'stale' else p.state end`;

export const PROPOSALS = `
  select p.id, p.repository_id, r.name as repository, p.run_id, p.commit, p.risk_class, ${STATE} as state, p.digest, p.salt,
    p.items, p.created_at, p.closed_at, p.closed_by, p.reason, p.forced
  from gitops_proposal p join gitops_repository r on (r.account_id, r.id) = (p.account_id, p.repository_id)`;

export function proposalOf(row: ProposalRow): Proposal {
  const { id, repository, state, digest, salt, items, forced } = row;
  return {
    id,
    repository,
    state,
    digest,
    salt,
    items,
    forced,
    repositoryId: row.repository_id,
    runId: row.run_id,
    commit: commitOf(row.commit),
    riskClass: row.risk_class,
    createdAt: row.created_at,
    ...(row.closed_at && { closedAt: row.closed_at }),
    ...(row.closed_by !== null && { closedBy: row.closed_by }),
    ...(row.reason !== null && { reason: row.reason }),
  };
}

export interface ItemRow {
  action: ItemAction;
  kind: FleetRef["kind"];
  name: string;
  base_version: number | null;
  base_born: Date | null;
  base_owner: string | null;
  before: ProposedItem["before"] | null;
  after: ProposedItem["after"] | null;
  file: string | null;
  line: number | null;
  applied_version: number | null;
}

export function itemOf(row: ItemRow): ProposedItem {
  const { action, kind, name, base_version: version, base_born: born, base_owner: owner } = row;
  return {
    action,
    kind,
    name,
    ...(version !== null && born && { base: { version, born: born.toISOString(), owner } }),
    ...(row.before && { before: row.before }),
    ...(row.after && { after: row.after }),
    ...(row.file !== null && { file: row.file }),
    ...(row.line !== null && { line: row.line }),
    ...(row.applied_version !== null && { appliedVersion: row.applied_version }),
  };
}

export interface ChangeRow {
  kind: FleetRef["kind"];
  name: string;
  by: string;
  by_name: string | null;
  at: Date;
  version: number;
  type: string;
  call_id: string | null;
}

export const changeOf = (row: ChangeRow): LastChange => ({
  kind: row.kind,
  name: row.name,
  by: row.by,
  byName: row.by_name ?? row.by,
  at: row.at,
  version: row.version,
  deleted: row.type === "fleet.object_deleted",
  ...(row.call_id !== null && { receiptId: `${row.call_id}.outcome` }),
});
