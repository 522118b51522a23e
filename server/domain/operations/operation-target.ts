import type { OperationRows } from "./read-operations.ts";

/** What a call about an operation is about. An unknown id answers too: that there is none is told after authorisation. */
export async function operationTarget(rows: OperationRows, id: string) {
  const type = "Operation" as const;
  const principalId = (await rows.operations.find(id))?.requesterId ?? (await rows.approvals.find(id))?.requester.id;
  return { type, id, ...(principalId !== undefined && { attributes: { principalId } }) };
}
