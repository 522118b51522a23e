import { HubError } from "../../errors.ts";
import type { Operation, OperationReader } from "../operations/operation-store.ts";
import type { Rotation, RotationReader } from "./rotation-store.ts";

export interface RotationRows {
  readonly rotation: RotationReader;
  readonly operations: OperationReader;
}

/** A rotation with its operation. Throws NOT_FOUND. */
export async function findRotation(
  { rotation: rows, operations }: RotationRows,
  id: string,
): Promise<{ readonly rotation: Rotation; readonly operation: Operation }> {
  const rotation = await rows.rotation(id);
  const operation = rotation && (await operations.find(id));
  if (rotation && operation) return { rotation, operation };
  throw new HubError("NOT_FOUND", "There is no such rotation.", { path: "rotationId" });
}

/** What a call about a rotation is about: its operation. An unknown id answers too. */
export async function rotationTarget({ operations }: Pick<RotationRows, "operations">, id: string) {
  const principalId = (await operations.find(id))?.requesterId;
  return { type: "Operation" as const, id, ...(principalId !== undefined && { attributes: { principalId } }) };
}
