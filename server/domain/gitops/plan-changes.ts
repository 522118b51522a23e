import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { RiskClass } from "../../../contracts/gitops/proposal.ts";
import type { SyncCounts, SyncProblem } from "../../../contracts/gitops/sync-run.ts";
import { sameState } from "../fleet/fleet-set.ts";
import type { Referral } from "../fleet/fleet-store.ts";
import { refText } from "../fleet/references.ts";
import type { DeclaredObject } from "./desired-state.ts";
import { baseOf, type ProposedItem, statedOf } from "./gitops-store.ts";

export interface FleetAsFound {
  /** The repository that declares. */
  readonly repository: string;
  readonly declared: readonly DeclaredObject[];
  /** Every live object that is declared, or that the repository owns; by `Kind/name`. */
  readonly live: ReadonlyMap<string, LiveFleetObject>;
  /** Who refers to the objects that the repository owns and does not declare. */
  readonly referrals: readonly Referral[];
}

export interface Plan {
  readonly items: Readonly<Record<RiskClass, readonly ProposedItem[]>>;
  /** Declared, the repository's own, and live just so. */
  readonly converged: readonly LiveFleetObject[];
  readonly problems: readonly SyncProblem[];
  readonly counts: SyncCounts;
}

/**
 * What would have to happen for the live fleet to be what the repository declares. Everything is compared field by field
 * in one form (defaults filled in, no order of keys), and answered by kind, then name: the same input gives the same
 * plan, whatever order it came in.
 */
export function planChanges({ repository, declared, live, referrals }: FleetAsFound): Plan {
  const changes: ProposedItem[] = [];
  const converged: LiveFleetObject[] = [];
  const problems: SyncProblem[] = [];
  for (const declaration of declared.toSorted(({ object: a }, { object: b }) => byRefText(a, b))) {
    const found = live.get(refText(declaration.object));
    if (found && found.owner !== null && found.owner !== repository) {
      problems.push(ownedElsewhere(declaration, found.owner, repository));
    } else if (found?.owner === repository && sameState(found, declaration.object)) converged.push(found);
    else changes.push(changeItem(declaration, found));
  }
  const { deletes, inUse } = planDeletes({ repository, declared, live, referrals });
  problems.push(...inUse);
  const count = (action: ProposedItem["action"]) => changes.filter((item) => item.action === action).length;
  return {
    items: { changes, deletes },
    converged,
    problems,
    counts: {
      declared: declared.length,
      unchanged: converged.length,
      create: count("create"),
      update: count("update"),
      adopt: count("adopt"),
      delete: deletes.length,
      refused: problems.length,
    },
  };
}

function changeItem({ object, file, line }: DeclaredObject, found: LiveFleetObject | undefined): ProposedItem {
  const { kind, name } = object;
  const item = { kind, name, after: object, file, line };
  if (!found) return { ...item, action: "create" };
  const action = found.owner === null ? "adopt" : "update";
  return { ...item, action, base: baseOf(found), before: statedOf(found) };
}

/** What the repository owns and declares no more goes away, unless something that stays refers to it. */
function planDeletes({ repository, declared, live, referrals }: FleetAsFound) {
  const wanted = new Set(declared.map(({ object }) => refText(object)));
  const undeclared = [...live.values()]
    .filter((object) => object.owner === repository && !wanted.has(refText(object)))
    .sort(byRefText);
  const going = new Set(undeclared.map(refText));
  // what is declared does not refer to it any more: a declaration that did was refused
  const staying = referrals.filter(({ from }) => !going.has(refText(from)) && !isOurs(from, wanted, live, repository));
  const pointing = Map.groupBy(staying, ({ to }) => refText(to));
  const deletes: ProposedItem[] = [];
  const inUse: SyncProblem[] = [];
  for (const object of undeclared) {
    const others = pointing.get(refText(object));
    if (others) inUse.push(stillReferredTo(object, others));
    else
      deletes.push({
        action: "delete",
        kind: object.kind,
        name: object.name,
        base: baseOf(object),
        before: statedOf(object),
      });
  }
  return { deletes, inUse };
}

const isOurs = (
  ref: Referral["from"],
  wanted: ReadonlySet<string>,
  live: FleetAsFound["live"],
  repository: string,
): boolean => wanted.has(refText(ref)) && [repository, null, undefined].includes(live.get(refText(ref))?.owner);

function ownedElsewhere(
  { object, file, line, column }: DeclaredObject,
  owner: string,
  repository: string,
): SyncProblem {
  return {
    file,
    line,
    column,
    path: refText(object),
    code: "OWNED_ELSEWHERE",
    message: `${refText(object)} belongs to the repository ${owner} and cannot be claimed by ${repository}: remove it from one of the two.`,
  };
}

function stillReferredTo(object: LiveFleetObject, referrals: readonly Referral[]): SyncProblem {
  const names = referrals.slice(0, 5).map(({ from }) => refText(from));
  const others = referrals.length > 5 ? " and others" : "";
  return {
    file: null,
    line: null,
    column: null,
    path: refText(object),
    code: "IN_USE",
    message: `${refText(object)} is declared no more, and ${names.join(", ")}${others} still refers to it: it is not proposed for deletion until that changes.`,
  };
}

/** By code units: no locale has a say in what is the same everywhere. */
export function byRefText(a: Pick<DesiredFleetObject, "kind" | "name">, b: Pick<DesiredFleetObject, "kind" | "name">) {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
