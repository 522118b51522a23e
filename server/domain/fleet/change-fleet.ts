import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { EventWriter, NewEvent } from "../events/event-store.ts";
import { together } from "../together.ts";
import { checkSet } from "./check-set.ts";
import { byRef, changeOf, type FleetSet, type LiveSet } from "./fleet-set.ts";
import type { FleetReader, FleetRef, FleetWriter } from "./fleet-store.ts";
import { referencesOf, refText } from "./references.ts";

export interface FleetTransaction {
  readonly fleet: FleetReader & FleetWriter;
  readonly events: EventWriter;
}

/** Who changes it: the principal stands in the object, the call leads to the receipt. */
export interface ChangedBy {
  readonly principalId: string;
  readonly callId: string;
}

export const changedBy = (call: { id: string; caller: { principal: { id: string } } }): ChangedBy => ({
  principalId: call.caller.principal.id,
  callId: call.id,
});

export interface ChangedObject extends FleetRef {
  readonly change: "created" | "updated" | "unchanged" | "deleted";
  /** As it is now; of a deleted one, as it was. */
  readonly object: LiveFleetObject;
}

/**
 * Makes all of a set so, or nothing: the one way in which the fleet changes, from a call or from Git. What would come of
 * it is checked as a whole, so that a template and its assignments can change together. `accept` looks at the locked
 * objects first, and throws where they are not what the caller decided on.
 *
 * Throws REFERENCE_MISSING, CONFLICT (a circle), INPUT_INVALID (parameters that the template does not take), IN_USE (an
 * object that stays would no longer fit, or would refer to nothing).
 */
export async function changeFleet(
  tx: FleetTransaction,
  set: FleetSet,
  by: ChangedBy,
  accept: (live: LiveSet) => void,
): Promise<readonly ChangedObject[]> {
  const references = set.puts.flatMap(referencesOf);
  // what the checks are made on stays so until the commit: what is referred to, and the ways between modules
  if (set.puts.some((object) => object.kind === "Module" && object.spec.dependsOn.length > 0))
    await tx.fleet.holdDependencies();
  const live: LiveSet = byRef(await tx.fleet.lock([...set.puts, ...set.deletes]));
  accept(live);
  await tx.fleet.hold(references.filter((reference) => !live.has(refText(reference))));
  await checkSet(tx.fleet, set, live);
  return write(tx, set, live, by);
}

async function write(tx: FleetTransaction, set: FleetSet, live: LiveSet, by: ChangedBy): Promise<ChangedObject[]> {
  const gone = set.deletes.flatMap((ref) => live.get(refText(ref)) ?? []);
  const puts = set.puts.map((object) => {
    const old = live.get(refText(object));
    const owner = set.owner ?? old?.owner ?? null;
    return { object, old, owner, change: changeOf(old, object, owner) };
  });
  const writeOf = ({ object, owner }: (typeof puts)[number]) => ({ ...object, owner, updatedBy: by.principalId });
  const made = puts.filter(({ change }) => change === "created");
  const changed = puts.flatMap((put) => (put.old && put.change === "updated" ? [{ ...put, old: put.old }] : []));
  const referring = [...made, ...changed].filter(({ object, old }) => old || referencesOf(object).length > 0);
  const { callId: call } = by;
  const told = (change: ChangedObject["change"], ref: FleetRef, version: number): NewEvent => ({
    type: `fleet.object_${change}`,
    subject: `fleet/${refText(ref)}`,
    data: { version, by: by.principalId, call },
  });
  const events = [
    ...made.map(({ object }) => told("created", object, 1)),
    ...changed.map(({ object, old }) => told("updated", object, old.version + 1)),
    ...gone.map((object) => told("deleted", object, object.version)),
  ];
  // none waits for another: they reach the database together and are carried out in this order
  const [inserted, updated] = await together([
    made.length ? tx.fleet.insert(made.map(writeOf)) : [],
    changed.length ? tx.fleet.update(changed.map((put) => ({ ...writeOf(put), version: put.old.version }))) : [],
    referring.length
      ? tx.fleet.setReferences(referring.map(({ object }) => ({ from: object, to: referencesOf(object) })))
      : undefined,
    gone.length ? tx.fleet.remove(gone) : undefined,
    events.length ? tx.events.emit(...events) : undefined,
  ]);
  const now = byRef([...inserted, ...updated]);
  return [
    ...puts.flatMap(({ object: { kind, name }, old, change }) => {
      const object = now.get(refText({ kind, name })) ?? old;
      return object ? [{ kind, name, change, object }] : [];
    }),
    ...gone.map((object) => ({ kind: object.kind, name: object.name, change: "deleted" as const, object })),
  ];
}
