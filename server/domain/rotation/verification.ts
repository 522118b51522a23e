import type { VerificationView } from "../../../contracts/vault/verification.ts";
import { VERIFICATION } from "../../../contracts/vault/walk.ts";
import { HubError } from "../../errors.ts";
import type { OperationReader, OperationWriter } from "../operations/operation-store.ts";
import type { RotationRows } from "./find-rotation.ts";
import { type Asking, beginWalking } from "./rotation-operation.ts";
import type { RotationReader, RotationWriter } from "./rotation-store.ts";

const MOST_TOLD = 200;

/** Begins to look at every credential of every account; nothing is changed. Throws ROTATION_RUNNING. */
export async function startVerification(
  tx: { readonly rotation: RotationReader & RotationWriter; readonly operations: OperationReader & OperationWriter },
  asking: Asking,
): Promise<string> {
  const { credentials } = await tx.rotation.size();
  const id = await beginWalking(tx, VERIFICATION, { ...asking, total: credentials });
  await tx.rotation.addCheck(id);
  return id;
}

/** How far it is, and what does not hold. Throws NOT_FOUND. */
export async function getVerification(rows: RotationRows, id: string): Promise<VerificationView> {
  const check = await rows.rotation.check(id);
  const operation = check && (await rows.operations.find(id));
  if (!check || !operation)
    throw new HubError("NOT_FOUND", "There is no such verification.", { path: "verificationId" });
  const { state, progress, error, requesterId, createdAt, endedAt } = operation;
  return {
    id,
    state,
    progress,
    accounts: check.accounts,
    checked: check.checked,
    opened: check.opened,
    waiting: check.waiting,
    failed: check.failed,
    findings: await rows.rotation.findings(id, MOST_TOLD),
    unreached: await rows.rotation.faults(id, MOST_TOLD),
    error: error ? { code: error.code, message: error.message } : null,
    requestedBy: requesterId,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
