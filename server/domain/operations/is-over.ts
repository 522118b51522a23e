import { stateAt } from "../approvals/request-state.ts";
import type { OperationRows } from "./read-operations.ts";

/** Whether nothing more will come of it; of what is not there, nothing will. */
export async function isOver(rows: OperationRows, id: string, now: Date): Promise<boolean> {
  const operation = await rows.operations.find(id);
  if (operation) return operation.state !== "working";
  const request = await rows.approvals.find(id);
  return !request || !["open", "approved", "executing"].includes(stateAt(request, now));
}
