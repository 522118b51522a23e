import type { Progress } from "../../../contracts/operations/progress.ts";
import type { EventWriter } from "../events/event-store.ts";
import type { OperationWriter } from "./operation-store.ts";

/** Between two events about the progress of one operation. */
export const TELL_EVERY_MS = 1_000;

interface Held {
  readonly operationId: string;
  readonly fence: number;
}

/**
 * Writes down how far an operation is, and tells who follows events unless they were told a moment ago. `held` says
 * whether it is working under this fence; what is not told now is for `tellProgress`, a moment later.
 */
export async function advanceOperation(
  tx: { readonly operations: OperationWriter; readonly events: EventWriter },
  { operationId, fence }: Held,
  progress: Progress,
  at: Date,
): Promise<{ readonly held: boolean; readonly told: boolean }> {
  const held = await tx.operations.advance(operationId, fence, progress, at);
  return { held, told: held && (await tellProgress(tx, { operationId, fence }, at)) };
}

/** Tells of the progress written last; false where followers were told of this operation a moment ago, or it is over. */
export async function tellProgress(
  tx: { readonly operations: OperationWriter; readonly events: EventWriter },
  { operationId, fence }: Held,
  at: Date,
): Promise<boolean> {
  const before = new Date(at.getTime() - TELL_EVERY_MS);
  const operation = await tx.operations.untold(operationId, fence, before, at);
  if (!operation) return false;
  const { kind, subject, progress } = operation;
  await tx.events.emit({
    type: "operations.progressed",
    subject: `operations/${operationId}`,
    data: { kind, about: subject, ...progress },
  });
  return true;
}
