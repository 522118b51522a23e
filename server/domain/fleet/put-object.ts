import type { DesiredFleetObject, LiveFleetObject } from "../../../contracts/fleet/object.ts";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import { HubError, toHubError } from "../../errors.ts";
import type { Preview } from "../approvals/preview.ts";
import type { EventWriter } from "../events/event-store.ts";
import { together } from "../together.ts";
import { checkParameters, type DeclaredParameters, type ParameterValues } from "./assignment-parameters.ts";
import { diffObject } from "./diff-object.ts";
import type { FleetReader, FleetWriter } from "./fleet-store.ts";
import { checkReferences, referencesOf, refText } from "./references.ts";

export interface PutInput {
  readonly object: DesiredFleetObject;
  /** The version the caller saw; absent means that the object must be new. */
  readonly expectedVersion?: number | undefined;
}

export interface PutResult {
  readonly object: LiveFleetObject;
  readonly change: "created" | "updated" | "unchanged";
}

interface PutPlan {
  readonly live: LiveFleetObject | undefined;
  readonly change: PutResult["change"];
}

/**
 * Creates or replaces one object. Throws VERSION_CONFLICT, ALREADY_EXISTS, REFERENCE_MISSING, CONFLICT (a circle),
 * INPUT_INVALID (parameters that the template does not take), IN_USE (an assignment would no longer fit).
 */
export async function putObject(
  tx: { fleet: FleetReader & FleetWriter; events: EventWriter },
  input: PutInput,
  updatedBy: string,
): Promise<PutResult> {
  const references = referencesOf(input.object);
  // what the plan is made on stays so until the commit: what is referred to, and the ways between modules
  if (input.object.kind === "Module" && references.length > 0) await tx.fleet.holdDependencies();
  const live = await tx.fleet.lock(input.object);
  await tx.fleet.hold(references);
  const { change } = await plan(tx.fleet, input, live);
  if (change === "unchanged" && live) return { object: live, change };
  const write = { ...input.object, owner: live?.owner ?? null, updatedBy };
  const version = (live?.version ?? 0) + 1;
  // none waits for another: they reach the database together and are carried out in this order
  const [object] = await together([
    live ? tx.fleet.update(write, live.version) : tx.fleet.insert(write),
    live || references.length ? tx.fleet.setReferences(input.object, references) : undefined,
    tx.events.emit({
      type: `fleet.object_${change}`,
      subject: `fleet/${refText(input.object)}`,
      data: { version, by: updatedBy },
    }),
  ]);
  return { object, change };
}

/** What approvers see; refuses what could never succeed. */
export async function previewPut(fleet: FleetReader, input: PutInput, asker: string): Promise<Preview> {
  const { live, change } = await plan(fleet, input, await fleet.get(input.object));
  const verb = { created: "create", updated: "change", unchanged: "write again, unchanged," }[change];
  return { headline: `${asker} asks to ${verb} ${refText(input.object)}`, changes: diffObject(live, input.object) };
}

async function plan(fleet: FleetReader, input: PutInput, live: LiveFleetObject | undefined): Promise<PutPlan> {
  const { object, expectedVersion } = input;
  refuseOtherVersion(object, expectedVersion, live);
  const found = await checkReferences(fleet, object);
  if (object.kind === "Assignment") {
    const template = found.find(({ kind }) => kind === "Template");
    checkParameters(object.spec.template, declared(template), object.spec.parameters);
  }
  if (object.kind === "Template" && live) await checkAssignments(fleet, object);
  return { live, change: live ? (same(live, object) ? "unchanged" : "updated") : "created" };
}

function refuseOtherVersion(
  object: DesiredFleetObject,
  expected: number | undefined,
  live: LiveFleetObject | undefined,
): void {
  if (expected === live?.version) return;
  const name = refText(object);
  if (!live)
    throw new HubError(
      "VERSION_CONFLICT",
      `${name} does not exist (any more); leave out expectedVersion to create it.`,
      { path: "expectedVersion", details: { found: null } },
    );
  const message =
    expected === undefined
      ? `${name} exists in version ${live.version}; send expectedVersion ${live.version} to change it.`
      : `${name} is in version ${live.version}, not ${expected}: somebody changed it. Read it again, then decide.`;
  throw new HubError("VERSION_CONFLICT", message, { path: "expectedVersion", details: { found: live.version } });
}

/** A template may not change under assignments that would no longer fit it. */
async function checkAssignments(
  fleet: FleetReader,
  template: Extract<DesiredFleetObject, { kind: "Template" }>,
): Promise<void> {
  for (const assignment of await fleet.find(await fleet.referrers(template))) {
    try {
      checkParameters(template.name, template.spec.parameters, assignment.spec["parameters"] as ParameterValues);
    } catch (error) {
      throw new HubError(
        "IN_USE",
        `object.spec.parameters: ${refText(assignment)} would no longer fit (${toHubError(error).message})`,
        { path: "object.spec.parameters", cause: error },
      );
    }
  }
}

const declared = (template: LiveFleetObject | undefined) => (template?.spec["parameters"] ?? {}) as DeclaredParameters;

const same = (live: LiveFleetObject, object: DesiredFleetObject): boolean =>
  canonicalize([live.spec, live.labels, live.annotations] as Json) ===
  canonicalize([object.spec, object.labels, object.annotations] as unknown as Json);
