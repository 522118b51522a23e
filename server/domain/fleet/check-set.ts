import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { HubError, toHubError } from "../../errors.ts";
import { checkParameters, type DeclaredParameters, type ParameterValues } from "./assignment-parameters.ts";
import type { FleetSet, LiveSet } from "./fleet-set.ts";
import type { Dependency, FleetReader, FleetRef } from "./fleet-store.ts";
import { checkReferences, referencesOf, refText, refuseCircles } from "./references.ts";

type Stated = DesiredFleetObject | LiveFleetObject;

/**
 * Refuses a set whose result could not stand: references, circles, parameters, and what others make of it. Each object
 * is looked at as all of them will be afterwards. Paths in errors begin with `object`, as in a call that puts one.
 */
export async function checkSet(fleet: FleetReader, set: FleetSet, live: LiveSet): Promise<void> {
  const after = await readAfter(fleet, set, live);
  const alone = set.puts.length + set.deletes.length === 1;
  for (const object of set.puts) {
    try {
      checkPut(object, after);
    } catch (error) {
      throw alone ? error : naming(object, toHubError(error));
    }
  }
  refuseCircles(
    set.puts.flatMap(({ kind, name }) => (kind === "Module" ? [name] : [])),
    after.needs,
  );
  for (const ref of set.deletes) checkDelete(ref, after);
}

function checkPut(object: DesiredFleetObject, after: After): void {
  checkReferences(object, (ref) => after.object(ref) !== undefined);
  if (object.kind === "Assignment")
    checkParameters(
      object.spec.template,
      parametersOf(after.object({ kind: "Template", name: object.spec.template })),
      object.spec.parameters,
    );
  if (object.kind === "Template") checkAssignments(object, after);
}

function checkDelete(ref: FleetRef, after: After): void {
  const names = after.referrers(ref).map(refText).sort();
  if (names.length === 0) return;
  throw new HubError(
    "IN_USE",
    `${refText(ref)} is referred to by ${names.slice(0, 5).join(", ")}${names.length > 5 ? " and others" : ""}; change these first.`,
    { path: "name" },
  );
}

/** Of many objects, the message has to say which it is about. */
const naming = (object: DesiredFleetObject, { code, message, path, cause }: HubError): HubError =>
  new HubError(code, `${refText(object)}: ${message}`, { ...(path !== undefined && { path }), cause });

/** The fleet as the set would leave it, as far as the set touches it. */
interface After {
  object(ref: FleetRef): Stated | undefined;
  /** Who would refer to it. */
  referrers(ref: FleetRef): readonly FleetRef[];
  readonly needs: ReadonlyMap<string, readonly Dependency[]>;
}

async function readAfter(fleet: FleetReader, set: FleetSet, live: LiveSet): Promise<After> {
  const puts = new Map<string, Stated>(set.puts.map((object) => [refText(object), object]));
  const deleted = new Set(set.deletes.map(refText));
  const isOurs = (ref: FleetRef) => puts.has(refText(ref)) || deleted.has(refText(ref));
  const references = set.puts.flatMap((object) => referencesOf(object).map((to) => ({ from: object, to })));
  const modules = set.puts.flatMap((object) => (object.kind === "Module" ? object.spec.dependsOn : []));
  // who refers to what goes away, and who fills in the parameters of a template that changes
  const watched = [
    ...set.deletes.filter((ref) => live.has(refText(ref))),
    ...set.puts.filter((object) => object.kind === "Template" && live.has(refText(object))),
  ];
  const referrals = watched.length ? await fleet.referrers(watched) : [];
  const staying = referrals.filter(({ from }) => !isOurs(from));
  const others = await fleet.find(
    distinct([...references.map(({ to }) => to), ...staying.map(({ from }) => from)].filter((ref) => !isOurs(ref))),
  );
  const found = new Map<string, Stated>(others.map((object) => [refText(object), object]));
  const dependencies = modules.length ? await fleet.dependencies([...new Set(modules)]) : [];
  const kept = dependencies.filter(({ from }) => !isOurs({ kind: "Module", name: from }));
  const ownNeeds = references.flatMap(({ from, to }) =>
    from.kind === "Module" ? [{ from: from.name, to: to.name }] : [],
  );
  const pointing = Map.groupBy(
    [...staying, ...references].filter(({ from, to }) => refText(from) !== refText(to)),
    ({ to }) => refText(to),
  );
  return {
    object: (ref) => puts.get(refText(ref)) ?? (deleted.has(refText(ref)) ? undefined : found.get(refText(ref))),
    referrers: (ref) => (pointing.get(refText(ref)) ?? []).map(({ from }) => from),
    needs: Map.groupBy([...kept, ...ownNeeds], ({ from }) => from),
  };
}

/** A template may not change under assignments that would no longer fit it. Those that are put too answer for themselves. */
function checkAssignments(template: Extract<DesiredFleetObject, { kind: "Template" }>, after: After): void {
  for (const ref of after.referrers(template)) {
    const assignment = after.object(ref);
    if (!assignment || !("version" in assignment)) continue;
    try {
      checkParameters(template.name, template.spec.parameters, assignment.spec["parameters"] as ParameterValues);
    } catch (error) {
      throw new HubError(
        "IN_USE",
        `object.spec.parameters: ${refText(ref)} would no longer fit (${toHubError(error).message})`,
        { path: "object.spec.parameters", cause: error },
      );
    }
  }
}

const parametersOf = (template: Stated | undefined): DeclaredParameters =>
  template && "parameters" in template.spec ? (template.spec.parameters as DeclaredParameters) : {};

const distinct = (refs: readonly FleetRef[]): FleetRef[] => [
  ...new Map(refs.map((ref) => [refText(ref), { kind: ref.kind, name: ref.name }])).values(),
];
