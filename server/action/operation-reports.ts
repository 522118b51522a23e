import { setTimeout as pause } from "node:timers/promises";
import { isOver } from "../domain/operations/is-over.ts";
import type { OperationReports } from "../domain/operations/operation-reports.ts";
import { HubError } from "../errors.ts";
import type { Store } from "./store.ts";

/** How often a call that waits looks: each look is one short read, so that it holds no connection in between. */
const LOOK_MS = 250;

export function operationReports(store: Pick<Store, "read" | "transact">, now: () => Date): OperationReports {
  return {
    async report(accountId, { operationId, fence }, progress) {
      const held = await store.transact(accountId, (tx) => tx.operations.advance(operationId, fence, progress, now()));
      if (!held) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
    },

    async wait(accountId, operationId, forMs, signal) {
      const end = now().getTime() + forMs;
      while (now().getTime() < end && !signal.aborted) {
        if (await store.read(accountId, (read) => isOver(read, operationId, now()), signal)) return;
        await pause(LOOK_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}
