import type { OperationReports } from "../domain/operations/operation-reports.ts";
import { HubError } from "../errors.ts";
import type { Store } from "./store.ts";

export function operationReports(store: Pick<Store, "transact">, now: () => Date): OperationReports {
  return {
    async report(accountId, { operationId, fence }, progress) {
      const held = await store.transact(accountId, (tx) => tx.operations.advance(operationId, fence, progress, now()));
      if (!held) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
    },
  };
}
