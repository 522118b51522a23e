import { counted } from "../../../contracts/vault/counted.ts";
import { checkInWords } from "../../../contracts/vault/verification.ts";
import { FINALIZATION, ROTATION, TRIMMING, VERIFICATION } from "../../../contracts/vault/walk.ts";
import { HubError } from "../../errors.ts";
import type { EventWriter } from "../events/event-store.ts";
import { completeOperation } from "../operations/complete-operation.ts";
import type { Operation, OperationReader, OperationWriter } from "../operations/operation-store.ts";
import type { FollowUp, RotationReader, RotationWriter } from "./rotation-store.ts";
import { endOfRotation } from "./rotation-words.ts";

export interface FinishTransaction {
  readonly rotation: RotationReader & RotationWriter;
  readonly operations: OperationReader & OperationWriter;
  readonly events: EventWriter;
}

/**
 * Ends an operation whose walk came through all accounts, after another look at whether it did. Answers with how it ended.
 * Throws CANCELLED (another process carries it on, or it is over), CONFLICT (there is more to do by now).
 */
export async function finishWalk(
  tx: FinishTransaction,
  { operationId, fence }: { readonly operationId: string; readonly fence: number },
  now: Date,
): Promise<string> {
  const held = await tx.operations.holds(operationId, fence);
  const operation = held ? await tx.operations.find(operationId) : undefined;
  if (!operation) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
  const sentence = await endOf(tx, operation, now);
  await completeOperation(tx, { operationId, fence }, sentence, now);
  return sentence;
}

async function endOf(tx: FinishTransaction, { id, kind }: Operation, now: Date): Promise<string> {
  switch (kind) {
    case ROTATION:
      return endRotation(tx, id);
    case VERIFICATION:
      return endVerification(tx, id);
    case FINALIZATION:
      return endFinalization(tx, await followUpOf(tx, id), now);
    case TRIMMING:
      return endTrimming(tx, await followUpOf(tx, id));
    default:
      throw new TypeError(`no walk ends an operation of the kind ${kind}`);
  }
}

async function endRotation({ rotation, events }: FinishTransaction, id: string): Promise<string> {
  refuseMore(await rotation.due(id, { payloads: true, most: 1 }));
  if (!(await rotation.settled(id))) throw more();
  const totals = await rotation.totals(id);
  const faults = (await rotation.faults(id, 1_000)).length;
  const { rotated, skipped, failed } = totals;
  await events.emit({
    type: "vault.rotation_completed",
    subject: `vault/rotations/${id}`,
    data: { rotated, skipped, failed, accounts: totals.accountsDone, faults },
  });
  return endOfRotation(totals, faults);
}

async function endVerification({ rotation, events }: FinishTransaction, id: string): Promise<string> {
  const check = await rotation.check(id);
  if (!check) throw new TypeError("a verification without its row");
  refuseMore(await rotation.accountsAfter(check.afterAccount, 1));
  const { accounts, checked, failed } = check;
  await events.emit({
    type: "vault.verification_completed",
    subject: `vault/verifications/${id}`,
    data: { accounts, checked, failed },
  });
  return checkInWords(check);
}

async function endFinalization(
  { rotation, events }: FinishTransaction,
  followUp: FollowUp,
  now: Date,
): Promise<string> {
  refuseMore(await rotation.followUpDue(followUp, "decryption", 1));
  const faults = (await rotation.faults(followUp.id, 1_000)).length;
  await rotation.setFinalized(followUp.rotationId, now);
  await events.emit({
    type: "vault.rotation_finalized",
    subject: `vault/rotations/${followUp.rotationId}`,
    data: { operationId: followUp.id },
  });
  // one account that does not let the hub in keeps no other's old versions alive
  const but =
    faults > 0 ? `, but for ${counted(faults, "account")} in which the hub could not put them out of use` : "";
  return `The old versions decrypt nothing any more${but}.`;
}

async function endTrimming({ rotation }: FinishTransaction, followUp: FollowUp): Promise<string> {
  refuseMore(await rotation.followUpDue(followUp, "trim", 1));
  const faults = (await rotation.faults(followUp.id, 1_000)).length;
  return faults > 0 ? `Destroyed, but for ${counted(faults, "account")}.` : "The old versions are destroyed.";
}

async function followUpOf({ rotation }: FinishTransaction, id: string): Promise<FollowUp> {
  const found = await rotation.followUp(id);
  if (!found) throw new TypeError("such an operation has a row of its own");
  return found;
}

function refuseMore(due: readonly unknown[]): void {
  if (due.length > 0) throw more();
}

const more = () => new HubError("CONFLICT", "There is more to do by now; the walk goes on.");
