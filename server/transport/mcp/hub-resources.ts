import type { ResourceLink, ResourceTemplateType } from "@modelcontextprotocol/server";
import type { HubDoor } from "../hub-door.ts";

const SCHEME = "countersign://";
/** Of an address. Ids, names and kinds need no other characters, so that each thing has one address. */
const PART = /^[\w.-]{1,100}$/;
/** Every resource is read as a text for people and models, and as the whole in JSON. */
export const MARKDOWN = "text/markdown";

/** Things of one kind: where they are found, and the read action that reading one of them is. */
export interface ResourceKind {
  /** After `countersign://`; the subjects of events are spelt alike. */
  readonly path: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly action: string;
  readonly input: (parts: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>;
}

const KINDS: readonly ResourceKind[] = [
  {
    path: "approvals/{id}",
    name: "approval",
    title: "Approval request",
    description: "What would change, who asks, who has to agree, what was decided.",
    action: "system_approval_get_request",
    input: ({ id }) => ({ requestId: id }),
  },
  {
    path: "fleet/{kind}/{name}",
    name: "fleet-object",
    title: "Fleet object",
    description: "A Template, Module, Assignment or ProviderConfig with its version, owner and spec.",
    action: "system_fleet_get_object",
    input: ({ kind, name }) => ({ kind, name }),
  },
  {
    path: "gitops/proposals/{id}",
    name: "proposal",
    title: "Proposal",
    description: "What a commit would do to the fleet, object by object.",
    action: "system_gitops_get_proposal",
    input: ({ id }) => ({ proposalId: id }),
  },
  {
    path: "gitops/repositories/{name}",
    name: "repository",
    title: "Git repository",
    description: "The commit synced last, what is open, how the last sync ended.",
    action: "system_gitops_get_repository",
    input: ({ name }) => ({ repository: name }),
  },
  {
    path: "gitops/sync-runs/{id}",
    name: "sync-run",
    title: "Sync run",
    description: "How far a sync is, or how it ended, with every problem and its place.",
    action: "system_gitops_get_sync_run",
    input: ({ id }) => ({ runId: id }),
  },
  {
    path: "operations/{id}",
    name: "operation",
    title: "Operation",
    description: "How far long work is: a sync, or a call that waits for people.",
    action: "system_operations_get",
    input: ({ id }) => ({ operationId: id }),
  },
  {
    path: "receipts/{id}",
    name: "receipt",
    title: "Receipt",
    description: "The signed record of one call with its proof.",
    action: "system_journal_get_receipt",
    input: ({ id }) => ({ id }),
  },
];

/** One thing that an address names; whether it exists is told by reading it. */
export interface Addressed {
  readonly uri: string;
  readonly kind: ResourceKind;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The kinds whose action this hub has, sorted by path. */
export function resourceKinds(door: Pick<HubDoor, "action">): readonly ResourceKind[] {
  return KINDS.filter(({ action }) => {
    const entry = door.action(action);
    if (entry && entry.action.risk.effect !== "read") throw new TypeError(`${action} is no read: no resource is`);
    return entry !== undefined;
  });
}

/** What a path such as `fleet/Template/web` names; undefined where it has not the form of any kind. */
export function addressed(path: string): Addressed | undefined {
  const parts = path.split("/");
  if (!parts.every((part) => PART.test(part))) return undefined;
  for (const kind of KINDS) {
    const named = matched(kind.path.split("/"), parts);
    if (named) return { uri: uriOf(path), kind, input: kind.input(named) };
  }
  return undefined;
}

export function uriOf(path: string): string {
  return SCHEME + path;
}

/** What comes after the scheme; undefined for an address of others. */
export function pathOf(uri: string): string | undefined {
  return uri.startsWith(SCHEME) ? uri.slice(SCHEME.length) : undefined;
}

export function templateOf({ path, name, title, description }: ResourceKind): ResourceTemplateType {
  return { uriTemplate: uriOf(path), name, title, description, mimeType: MARKDOWN };
}

/** The names in a kind's path, in order. */
export function variablesOf({ path }: Pick<ResourceKind, "path">): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

/** For the content of a result; undefined where the path names nothing that can be read. */
export function linkTo(path: string): ResourceLink | undefined {
  const found = addressed(path);
  return found && { type: "resource_link", uri: found.uri, name: path, title: found.kind.title, mimeType: MARKDOWN };
}

function matched(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const named: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] as string;
    const [, name] = /^\{(\w+)\}$/.exec(wanted) ?? [];
    if (name !== undefined) named[name] = part;
    else if (wanted !== part) return undefined;
  }
  return named;
}
