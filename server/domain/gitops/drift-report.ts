import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { DriftedObject, DriftReport } from "../../../contracts/gitops/drift-report.ts";
import { HubError } from "../../errors.ts";
import type { PreviewChange } from "../approvals/preview.ts";
import { diffObject } from "../fleet/diff-object.ts";
import { byRef, sameState } from "../fleet/fleet-set.ts";
import type { FleetReader, FleetRef } from "../fleet/fleet-store.ts";
import { refText } from "../fleet/references.ts";
import type { PageRequest } from "../page.ts";
import type { DeclaredObject } from "./desired-state.ts";
import { findRepository } from "./find-repository.ts";
import type { AppliedObject, GitopsReader, LastChange } from "./gitops-store.ts";
import { changeInWords } from "./item-words.ts";
import { byRefText } from "./plan-changes.ts";
import { commitView } from "./views.ts";

interface ThreeStates extends FleetRef {
  readonly desired: DeclaredObject["object"] | undefined;
  readonly applied: AppliedObject | undefined;
  readonly live: LiveFleetObject | undefined;
  readonly isPending: boolean;
  readonly isDrifted: boolean;
}

/**
 * What the head declares, what of it was applied, what is live: how they differ, object by object. Looks, and proposes
 * nothing. Throws NOT_FOUND, CURSOR_INVALID.
 */
export async function driftReport(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  name: string,
  { limit, cursor }: PageRequest,
): Promise<DriftReport> {
  const repository = await findRepository(read.gitops, name);
  const states = await threeStates(read, repository.id, name);
  const differing = states.filter(({ isPending, isDrifted }) => isPending || isDrifted);
  const from = differing.findIndex((state) => cursor === undefined || byRefText(state, refOf(cursor)) > 0);
  const shown = from === -1 ? [] : differing.slice(from, from + limit);
  const last = shown.at(-1);
  const more = last !== undefined && differing.at(-1) !== last;
  const changes = await read.gitops.lastChanges(shown.filter(({ isDrifted }) => isDrifted));
  const changeOf = new Map(changes.map((change) => [refText(change), change]));
  return {
    repository: name,
    head: repository.head ? commitView(repository.head) : null,
    syncedAt: repository.syncedAt?.toISOString() ?? null,
    inSync: differing.length === 0,
    counts: {
      objects: states.length,
      inSync: states.length - differing.length,
      pending: states.filter(({ isPending }) => isPending).length,
      drifted: states.filter(({ isDrifted }) => isDrifted).length,
    },
    objects: shown.map((state) => driftOf(state, state.isDrifted ? changeOf.get(refText(state)) : undefined)),
    ...(more && { next: refText(last) }),
  };
}

async function threeStates(
  read: { readonly gitops: GitopsReader; readonly fleet: FleetReader },
  repositoryId: string,
  name: string,
): Promise<ThreeStates[]> {
  const desired = new Map((await read.gitops.desired(repositoryId)).map(({ object }) => [refText(object), object]));
  const applied = new Map((await read.gitops.applied(repositoryId)).map((object) => [refText(object), object]));
  const named: FleetRef[] = [...desired.values(), ...applied.values()];
  const live = byRef([...(await read.fleet.find(named)), ...(await read.fleet.owned(name))]);
  const refs = new Map([...named, ...live.values()].map((ref) => [refText(ref), ref]));
  return [...refs]
    .map(([ref, { kind, name: object }]) => {
      const states = { desired: desired.get(ref), applied: applied.get(ref), live: live.get(ref) };
      return { kind, name: object, ...states, isPending: isPending(states), isDrifted: isDrifted(states) };
    })
    .sort(byRefText);
}

type States = Pick<ThreeStates, "desired" | "applied" | "live">;

function isPending({ desired, applied }: States): boolean {
  if (!desired || !applied) return desired !== undefined || applied !== undefined;
  return !sameState(desired, applied.state);
}

/** Only what was applied can drift from it. */
const isDrifted = ({ applied, live }: States): boolean => applied !== undefined && hasDrifted(applied, live);

export function hasDrifted(applied: AppliedObject, live: LiveFleetObject | undefined): boolean {
  return !live || live.createdAt !== applied.born || !sameState(live, applied.state);
}

function driftOf(state: ThreeStates, change: LastChange | undefined): DriftedObject {
  const { kind, name, desired, applied, live, isPending, isDrifted } = state;
  return {
    kind,
    name,
    words: inWords(state, change),
    pending: isPending ? diffObject(applied?.state, desired) : [],
    drifted: isDrifted ? diffObject(applied?.state, live as never) : [],
    isPending,
    isDrifted,
    liveVersion: live?.version ?? null,
    changedBy: change ? { id: change.by, name: change.byName } : null,
    changedAt: change?.at.toISOString() ?? null,
    receiptId: change?.receiptId ?? null,
  };
}

function inWords({ desired, applied, live, isPending, isDrifted, ...ref }: ThreeStates, change?: LastChange): string {
  const name = refText(ref);
  const who = change ? ` by ${change.byName} at ${change.at.toISOString()}` : "";
  const sentences: string[] = [];
  if (isDrifted && !live) sentences.push(`${name} was deleted past Git${who}.`);
  else if (isDrifted && live?.createdAt !== applied?.born)
    sentences.push(`${name} was deleted and made again past Git${who}.`);
  else if (isDrifted)
    sentences.push(`${name} was changed past Git${who}: ${few(diffObject(applied?.state, live as never))}.`);
  if (isPending && !applied) sentences.push(`${name} is declared and was not applied yet.`);
  else if (isPending && !desired) sentences.push(`${name} is declared no more and was not deleted yet.`);
  else if (isPending) sentences.push(`${name} is declared otherwise: ${few(diffObject(applied?.state, desired))}.`);
  return sentences.join(" ");
}

function few(changes: readonly PreviewChange[]): string {
  const words = changes.slice(0, 3).map(changeInWords);
  return changes.length > 3 ? `${words.join("; ")}; and ${changes.length - 3} more` : words.join("; ");
}

/** A cursor is the name of the last object shown. */
function refOf(cursor: string): FleetRef {
  const [kind = "", name = "", ...more] = cursor.split("/");
  if (name === "" || more.length > 0)
    throw new HubError("CURSOR_INVALID", "This cursor is not one of this list's; start again without it.", {
      path: "cursor",
    });
  return { kind: kind as FleetRef["kind"], name };
}
