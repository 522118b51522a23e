import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { MovedObject } from "../../../contracts/gitops/proposal.ts";
import { HubError } from "../../errors.ts";
import { diffObject } from "../fleet/diff-object.ts";
import { refText } from "../fleet/references.ts";
import { baseOf, type ProposedItem } from "./gitops-store.ts";
import { fieldInWords } from "./item-words.ts";

type LiveSet = ReadonlyMap<string, LiveFleetObject>;

const MOST_SHOWN = 20;
const MOST_IN_WORDS = 3;

export interface Moved {
  /** The first of them, each seen three ways: as it was worked out on, as it is, and as it is wanted. */
  readonly shown: readonly MovedObject[];
  readonly count: number;
}

/** The objects of a proposal that are not as it was worked out on. */
export function movedObjects(items: readonly ProposedItem[], live: LiveSet, most = MOST_SHOWN): Moved {
  const moved = items.filter((item) => !isAsFound(item, live.get(refText(item))));
  return { shown: moved.slice(0, most).map((item) => movedObject(item, live.get(refText(item)))), count: moved.length };
}

/** The same life, version and owner; or as absent as it was. */
function isAsFound({ base }: ProposedItem, now: LiveFleetObject | undefined): boolean {
  if (!base || !now) return !base && !now;
  const { version, born, owner } = baseOf(now);
  return version === base.version && born === base.born && owner === base.owner;
}

function movedObject(item: ProposedItem, now: LiveFleetObject | undefined): MovedObject {
  const { kind, name, base } = item;
  return {
    kind,
    name,
    words: inWords(item, now),
    baseVersion: base?.version ?? null,
    liveVersion: now?.version ?? null,
    changedBy: now?.updatedBy ?? null,
    changedAt: now?.updatedAt ?? null,
    fields: threeWay(item, now),
  };
}

function inWords(item: ProposedItem, now: LiveFleetObject | undefined): string {
  const name = refText(item);
  const { base } = item;
  if (!now) return `${name} was in version ${base?.version}, and is gone.`;
  const since = `since ${now.updatedAt}`;
  if (!base) return `${name} did not exist, and is there in version ${now.version} ${since}.`;
  if (base.born !== now.createdAt)
    return `${name} was deleted and made again; it is in version ${now.version} ${since}.`;
  const fields = diffObject(item.before, now as never).map(({ field }) => fieldInWords(field));
  const more = fields.length > MOST_IN_WORDS ? ` and ${fields.length - MOST_IN_WORDS} more` : "";
  const owner = base.owner === now.owner ? [] : ["owner"];
  const which = fields.length > 0 ? `: ${[...owner, ...fields.slice(0, MOST_IN_WORDS)].join(", ")}${more}` : "";
  return `${name} was in version ${base.version}, and is in version ${now.version} ${since}${which}.`;
}

/** Every field in which two of the three differ. */
function threeWay({ before, after }: ProposedItem, now: LiveFleetObject | undefined): MovedObject["fields"] {
  const moved = new Map(diffObject(before, now as never).map((change) => [change.field, change]));
  const wanted = new Map(diffObject(before, after).map((change) => [change.field, change]));
  return [...new Set([...moved.keys(), ...wanted.keys()])].map((field) => {
    const [live, desired] = [moved.get(field), wanted.get(field)];
    const base = (live ?? desired)?.before ?? null;
    return { field, base, live: live ? (live.after ?? null) : base, desired: desired ? (desired.after ?? null) : base };
  });
}

/** What whoever applies is told. */
export function proposalStale({ shown: moved, count }: Moved): HubError {
  const shown = moved.slice(0, MOST_IN_WORDS).map(({ words }) => words);
  const more = count - shown.length;
  return new HubError(
    "PROPOSAL_STALE",
    `The fleet moved since this was proposed, and nothing was changed. ${shown.join(" ")}${more > 0 ? ` And ${more} more.` : ""} Sync again for a proposal about the fleet as it is, or apply with force to overwrite it.`,
    { details: { moved, more: count - moved.length } },
  );
}
