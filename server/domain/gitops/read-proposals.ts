import type { MovedObject, ProposalItem, ProposalState, ProposalSummary } from "../../../contracts/gitops/proposal.ts";
import { HubError } from "../../errors.ts";
import { byRef } from "../fleet/fleet-set.ts";
import type { FleetReader } from "../fleet/fleet-store.ts";
import type { Page, PageRequest } from "../page.ts";
import { findProposal } from "./find-repository.ts";
import type { GitopsReader } from "./gitops-store.ts";
import { movedObjects } from "./moved-objects.ts";
import { itemView, proposalView } from "./views.ts";

const MOST_MOVED = 50;

export interface ProposalDetail {
  readonly proposal: ProposalSummary;
  /** Base64; opens the digest, together with the content. */
  readonly salt: string;
  readonly items: ProposalItem[];
  /** What happened to its objects since, where it is stale. */
  readonly moved: MovedObject[];
  readonly next?: string;
}

/** A proposal with a page of its items. Throws NOT_FOUND, CURSOR_INVALID. */
export async function getProposal(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  proposalId: string,
  { limit, cursor }: PageRequest,
): Promise<ProposalDetail> {
  const proposal = await findProposal(read.gitops, proposalId);
  const from = cursor === undefined ? 0 : Number(cursor);
  if (cursor !== undefined && !/^\d{1,6}$/.test(cursor))
    throw new HubError("CURSOR_INVALID", "This cursor is not one of this list's; start again without it.", {
      path: "cursor",
    });
  const items = await read.gitops.items(proposalId, { from, limit });
  const next = from + items.length;
  return {
    proposal: proposalView(proposal),
    salt: proposal.salt.toString("base64"),
    items: items.map(itemView),
    moved: proposal.state === "stale" ? await movedOf(read, proposalId) : [],
    ...(next < proposal.items && items.length > 0 && { next: String(next) }),
  };
}

async function movedOf(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  proposalId: string,
): Promise<MovedObject[]> {
  const items = await read.gitops.items(proposalId);
  return [...movedObjects(items, byRef(await read.fleet.find(items)), MOST_MOVED).shown];
}

export async function listProposals(
  gitops: GitopsReader,
  filter: { readonly repository?: string | undefined; readonly state?: ProposalState | undefined },
  page: PageRequest,
): Promise<Page<ProposalSummary>> {
  const { items, ...rest } = await gitops.proposals(filter, page);
  return { ...rest, items: items.map(proposalView) };
}
