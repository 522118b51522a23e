import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { ItemAction, ProposalState, RiskClass } from "../../../contracts/gitops/proposal.ts";
import type { SyncCounts, SyncProblem, SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import type { FleetRef } from "../fleet/fleet-store.ts";
import type { Operation } from "../operations/operation-store.ts";
import type { Page, PageRequest } from "../page.ts";
import type { DeclaredObject } from "./desired-state.ts";
import type { GitCommit } from "./git-mirror.ts";

export interface Repository {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly branch: string;
  /** The file that declares the fleet. */
  readonly path: string;
  /** What it is fetched with; absent where anybody may read it. */
  readonly credential?: { readonly id: string; readonly name: string };
  /** The last commit that was read whole. */
  readonly head?: GitCommit;
  readonly syncedAt?: Date;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** A repository with what has become of it. */
export interface RepositoryStanding extends Repository {
  /** Fleet objects that it owns. */
  readonly objects: number;
  /** Those of changes first. */
  readonly openProposals: readonly string[];
  readonly lastRun?: { readonly id: string; readonly status: SyncRunView["status"]; readonly errorCode?: string };
}

export interface SyncRun {
  readonly id: string;
  readonly repositoryId: string;
  readonly repository: string;
  /** Somebody agreed to a branch that was rewritten. */
  readonly acceptsRewrite: boolean;
  readonly operation: Operation;
  readonly commit?: GitCommit;
  readonly previousCommit?: string;
  readonly counts?: SyncCounts;
  /** Those that were open when it ended, also where an earlier run made them. */
  readonly proposalIds: readonly string[];
  readonly problems: readonly SyncProblem[];
}

/** What of an object a repository states: it is compared by these alone. */
export type StatedObject = Pick<DesiredFleetObject, "labels" | "annotations" | "spec">;

/** A live object as it was looked at. A name can be used again: when it was made tells one life from the next. */
export interface Base {
  readonly version: number;
  readonly born: string;
  readonly owner: string | null;
}

export interface ProposedItem extends FleetRef {
  readonly action: ItemAction;
  readonly base?: Base;
  readonly before?: StatedObject;
  readonly after?: DesiredFleetObject;
  readonly file?: string;
  readonly line?: number;
  readonly appliedVersion?: number;
}

export interface Proposal {
  readonly id: string;
  readonly repositoryId: string;
  readonly repository: string;
  readonly runId: string;
  readonly commit: GitCommit;
  readonly riskClass: RiskClass;
  /** `stale` where it is open and one of its objects is not as it was looked at. */
  readonly state: ProposalState;
  /** Salted commitment to what it holds. */
  readonly digest: string;
  readonly salt: Buffer;
  readonly items: number;
  readonly createdAt: Date;
  readonly closedAt?: Date;
  readonly closedBy?: string;
  readonly reason?: string;
  readonly forced: boolean;
}

/** An object as the repository last made it. */
export interface AppliedObject extends FleetRef {
  readonly state: StatedObject;
  readonly version: number;
  readonly born: string;
  readonly commit: string;
}

/** The last change of an object that the journal has. */
export interface LastChange extends FleetRef {
  readonly by: string;
  readonly byName: string;
  readonly at: Date;
  /** Version that it made; of a deletion, the last one. */
  readonly version: number;
  readonly deleted: boolean;
  readonly receiptId?: string;
}

export interface GitopsReader {
  /** By name; undefined where there is none (any more). */
  repository(name: string): Promise<Repository | undefined>;
  repositoryById(id: string): Promise<Repository | undefined>;
  standing(name: string): Promise<RepositoryStanding | undefined>;
  /** By name. */
  repositories(page: PageRequest): Promise<Page<RepositoryStanding>>;
  /** What the head declares, by kind, then name. */
  desired(repositoryId: string): Promise<readonly DeclaredObject[]>;
  /** By kind, then name. */
  applied(repositoryId: string): Promise<readonly AppliedObject[]>;
  run(id: string): Promise<SyncRun | undefined>;
  /** Newest first. */
  runs(filter: { readonly repository?: string | undefined }, page: PageRequest): Promise<Page<SyncRun>>;
  proposal(id: string): Promise<Proposal | undefined>;
  /** Newest first. */
  proposals(
    filter: {
      readonly repository?: string | undefined;
      readonly state?: ProposalState | undefined;
      readonly ids?: readonly string[] | undefined;
    },
    page: PageRequest,
  ): Promise<Page<Proposal>>;
  /** In their order; `from` counts from 0. */
  items(proposalId: string, part?: { readonly from: number; readonly limit: number }): Promise<readonly ProposedItem[]>;
  lastChanges(refs: readonly FleetRef[]): Promise<readonly LastChange[]>;
}

export type NewProposal = Omit<
  Proposal,
  "state" | "repository" | "closedAt" | "closedBy" | "reason" | "forced" | "items"
> & {
  readonly items: readonly ProposedItem[];
};

export interface Closing {
  readonly state: Exclude<ProposalState, "open" | "stale">;
  readonly at: Date;
  readonly by: string;
  readonly reason?: string;
  readonly forced?: boolean;
}

export interface GitopsWriter {
  /** Throws ALREADY_EXISTS. */
  addRepository(repository: Repository): Promise<void>;
  /** Locked until the transaction ends; undefined where there is none (any more). */
  lockRepository(id: string): Promise<Repository | undefined>;
  removeRepository(id: string, at: Date): Promise<void>;
  setHead(id: string, head: GitCommit, objects: readonly DeclaredObject[], at: Date): Promise<void>;
  addRun(run: { readonly id: string; readonly repositoryId: string; readonly acceptsRewrite: boolean }): Promise<void>;
  finishRun(
    id: string,
    result: {
      readonly commit: GitCommit;
      readonly previousCommit?: string;
      readonly counts: SyncCounts;
      readonly proposalIds: readonly string[];
      readonly problems: readonly SyncProblem[];
    },
  ): Promise<void>;
  setApplied(repositoryId: string, objects: readonly AppliedObject[], at: Date): Promise<void>;
  forgetApplied(repositoryId: string, refs: readonly FleetRef[]): Promise<void>;
  /** Locked until the transaction ends. Throws NOT_FOUND. */
  lockProposal(id: string): Promise<Proposal>;
  /** The open ones of a repository, locked. */
  lockOpenProposals(repositoryId: string): Promise<readonly Proposal[]>;
  /** The newest that was rejected. */
  lastRejected(repositoryId: string, riskClass: RiskClass): Promise<Proposal | undefined>;
  addProposal(proposal: NewProposal): Promise<void>;
  closeProposal(id: string, closing: Closing): Promise<void>;
  setAppliedVersions(proposalId: string, objects: readonly (FleetRef & { readonly version: number })[]): Promise<void>;
}

export const baseOf = ({ version, createdAt, owner }: LiveFleetObject): Base => ({ version, born: createdAt, owner });

export const statedOf = ({ labels, annotations, spec }: StatedObject | LiveFleetObject): StatedObject => ({
  labels,
  annotations,
  spec: spec as StatedObject["spec"],
});
