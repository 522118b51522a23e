import type { Resource } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { RequestSummary } from "../../../contracts/approval/request-view.ts";
import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { ProposalSummary } from "../../../contracts/gitops/proposal.ts";
import type { RepositoryView } from "../../../contracts/gitops/repository.ts";
import type { SyncRunView } from "../../../contracts/gitops/sync-run.ts";
import { HubError } from "../../errors.ts";
import type { HubDoor } from "../hub-door.ts";
import type { DoorCall, Page } from "./catalogue.ts";
import { MARKDOWN, uriOf } from "./hub-resources.ts";
import { readRows } from "./read-action.ts";
import { REFERENCE_RESOURCES } from "./reference-pages.ts";
import { runbookResources } from "./runbook-pages.ts";

/** Of each section of the first page: what waits, and what happened last. */
const MOST_OPEN = 50;
const LAST_RUNS = 10;
const OBJECTS_A_PAGE = 100;
/** Clients get all pages at once, for people to pick from; what is not listed is completed, and read by its address. */
const MOST_PAGES = 5;

/** Pages of fleet objects that were listed, and where the next one begins. */
const cursorShape = z.tuple([z.int().min(1).lt(MOST_PAGES), z.string().max(512)]);

interface Section {
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- rows of its action, which the gate held against their schema
  readonly shown: (row: any) => Resource;
}

const FLEET: Section = {
  action: "system_fleet_list_objects",
  input: { limit: OBJECTS_A_PAGE },
  shown: ({ kind, name, version, owner, updatedAt }: LiveFleetObject) =>
    resource(`fleet/${kind}/${name}`, {
      title: `${kind} ${name}`,
      description: `Version ${version}, ${owner === null ? "of nobody's repository" : `declared by ${owner}`}.`,
      lastModified: updatedAt,
    }),
};

const FIRST: readonly Section[] = [
  {
    action: "system_approval_list_requests",
    input: { state: "open", limit: MOST_OPEN },
    shown: ({ id, headline, requester, needs, createdAt }: RequestSummary) =>
      resource(`approvals/${id}`, {
        title: `Waits for approval: ${headline}`,
        description: `Asked by ${requester.name}; needs ${needs}.`,
        lastModified: createdAt,
      }),
  },
  {
    action: "system_gitops_list_proposals",
    input: { state: "open", limit: MOST_OPEN },
    shown: ({ id, repository, riskClass, items, createdAt }: ProposalSummary) =>
      resource(`gitops/proposals/${id}`, {
        title: `Proposal of ${repository}`,
        description: `${riskClass}: ${items} ${items === 1 ? "object" : "objects"}.`,
        lastModified: createdAt,
      }),
  },
  {
    action: "system_gitops_list_repositories",
    input: { limit: MOST_OPEN },
    shown: ({ name, objects, openProposals, syncedAt }: RepositoryView) =>
      resource(`gitops/repositories/${name}`, {
        title: `Repository ${name}`,
        description: `Owns ${objects} fleet objects; ${openProposals.length} proposals are open.`,
        ...(syncedAt !== null && { lastModified: syncedAt }),
      }),
  },
  {
    action: "system_gitops_list_sync_runs",
    input: { limit: LAST_RUNS },
    shown: ({ id, repository, status, createdAt, endedAt }: SyncRunView) =>
      resource(`gitops/sync-runs/${id}`, {
        title: `Sync of ${repository}: ${status}`,
        description: `Begun ${createdAt}.`,
        lastModified: endedAt ?? createdAt,
      }),
  },
  FLEET,
];

/**
 * What there is to read at the moment: the reference, the runbooks, what waits for people, repositories, the last syncs,
 * then the fleet page by page. Sections that the caller may not list are left out. Throws CURSOR_INVALID.
 */
export async function resourceList(door: HubDoor, call: DoorCall, cursor?: string): Promise<Page<Resource>> {
  const [pages, after] = cursor === undefined ? [0, undefined] : decoded(cursor);
  const visible = new Set((await door.visible(call.caller, "mcp")).map(({ action }) => action.name));
  const items: Resource[] = pages === 0 ? [...REFERENCE_RESOURCES, ...runbookResources()] : [];
  let next: string | undefined;
  for (const section of pages === 0 ? FIRST : [FLEET]) {
    if (!visible.has(section.action)) continue;
    const input = { ...section.input, ...(after !== undefined && { cursor: after }) };
    const rows = await readRows(door, call, section.action, input);
    items.push(...rows.items.map(section.shown));
    if (section === FLEET) next = rows.next;
  }
  const more = next !== undefined && pages + 1 < MOST_PAGES;
  return { items, ...(more && { next: encoded(pages + 1, next as string) }) };
}

interface Shown {
  readonly title: string;
  readonly description: string;
  readonly lastModified?: string;
}

function resource(path: string, { title, description, lastModified }: Shown): Resource {
  return {
    uri: uriOf(path),
    name: path,
    title,
    description,
    mimeType: MARKDOWN,
    ...(lastModified !== undefined && { annotations: { lastModified } }),
  };
}

function encoded(pages: number, after: string): string {
  return Buffer.from(JSON.stringify([pages, after])).toString("base64url");
}

function decoded(cursor: string): [number, string] {
  try {
    return cursorShape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch (cause) {
    throw new HubError("CURSOR_INVALID", "This cursor is not one that this list gave; start again without it.", {
      cause,
    });
  }
}
