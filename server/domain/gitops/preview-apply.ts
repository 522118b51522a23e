import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { Preview, PreviewChange } from "../approvals/preview.ts";
import { refText } from "../fleet/references.ts";
import { type Proposal, type ProposedItem, type StatedObject, statedOf } from "./gitops-store.ts";
import { changesOf, itemsInWords } from "./item-words.ts";
import { movedObjects } from "./moved-objects.ts";

/**
 * Fields that say where things come from or go to, most telling first: however large a proposal is, nobody agrees to one
 * of these without having been shown it.
 */
const TELLING = ["endpoint", "secretRef", "driver", "source", "digest"] as const;
/** Of what a request can show (contracts/approval/preview.ts cuts there), what is left for fields that tell less. */
const MOST_LINES = 190;

/**
 * What approvers see of a proposal, as it would change the objects that are live now: what others changed and force would
 * overwrite, then addresses and origins, then every object by name, then the other fields. What does not fit is counted.
 */
export function previewOf(
  proposal: Proposal,
  items: readonly ProposedItem[],
  live: ReadonlyMap<string, LiveFleetObject>,
  { asker, force }: { readonly asker: string; readonly force: boolean },
): Preview {
  const { repository, commit, digest } = proposal;
  const moved = force ? movedObjects(items, live) : { shown: [], count: 0 };
  const over = moved.count > 0 ? `, OVER ${moved.count} objects that others changed since` : "";
  const now = items.map((item) => asItIs(item, live.get(refText(item))));
  const head: PreviewChange[] = [
    { field: "commit", after: `${commit.id} by ${commit.author}: ${commit.subject}` },
    { field: "proposal digest", after: digest },
    ...moved.shown.map(({ words }) => ({ field: "overwritten", after: words })),
    ...counted(moved.count - moved.shown.length, "more objects that others changed are overwritten"),
  ];
  return {
    headline: `${asker} asks to ${force ? "FORCE" : "apply"} what ${repository} proposes${over}: ${itemsInWords(items)}`,
    changes: [...head, ...fitting(now, MOST_LINES - head.length)],
  };
}

/** The item as it would change what is there: what was there when it was proposed may be another thing by now. */
function asItIs(item: ProposedItem, now: LiveFleetObject | undefined): ProposedItem {
  const { before: _, ...rest } = item;
  return now ? { ...rest, before: statedOf(now) } : rest;
}

function fitting(items: readonly ProposedItem[], room: number): PreviewChange[] {
  const telling = TELLING.flatMap((field) => items.flatMap((item) => tellingChange(item, field)));
  const named = items.map(nameOf);
  const lines = [...telling, ...named].slice(0, room);
  const left = telling.length + named.length - lines.length;
  let whole = 0;
  for (const item of items) {
    if (lines.length >= room) break;
    lines.push(...otherChanges(item).slice(0, room - lines.length));
    whole++;
  }
  const cut = left > 0 ? left : items.length - whole;
  const what = left > 0 ? "more addresses, origins and objects" : "objects whose other fields";
  return [
    ...lines,
    ...counted(cut, `${what} are not shown here: system_gitops_get_proposal has all that the digest stands for`),
  ];
}

const counted = (count: number, what: string): PreviewChange[] =>
  count > 0 ? [{ field: `and ${count} ${what}` }] : [];

function tellingChange(item: ProposedItem, field: (typeof TELLING)[number]): PreviewChange[] {
  const before = valueOf(item.before, field);
  const after = valueOf(item.after, field);
  if (before === after) return [];
  return [
    {
      field: `${refText(item)} spec.${field}`,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    },
  ];
}

function valueOf(state: StatedObject | undefined, field: string): string | undefined {
  const value = (state?.spec as Readonly<Record<string, unknown>> | undefined)?.[field];
  return typeof value === "string" ? value : undefined;
}

const DONE = {
  create: "created",
  update: "changed",
  adopt: "changed, and owned by this repository",
  delete: "",
} as const;

function nameOf(item: ProposedItem): PreviewChange {
  if (item.action === "delete") return { field: refText(item), before: "deleted" };
  return { field: refText(item), after: DONE[item.action] };
}

/** Of what goes away the name says it all. */
function otherChanges(item: ProposedItem): PreviewChange[] {
  if (item.action === "delete") return [];
  return changesOf(item)
    .filter(({ field }) => !TELLING.some((telling) => field === `spec.${telling}`))
    .map((change) => ({ ...change, field: `${refText(item)} ${change.field}` }));
}
