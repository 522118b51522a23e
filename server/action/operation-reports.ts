import { setTimeout as pause } from "node:timers/promises";
import type { Progress } from "../../contracts/operations/progress.ts";
import { advanceOperation, TELL_EVERY_MS, tellProgress } from "../domain/operations/advance-operation.ts";
import { isOver } from "../domain/operations/is-over.ts";
import type { OperationReports } from "../domain/operations/operation-reports.ts";
import { getOperation } from "../domain/operations/read-operations.ts";
import { HubError } from "../errors.ts";
import type { Reader, Store } from "./store.ts";

/** How often a call that waits looks: each look is one short read, so that it holds no connection in between. */
const LOOK_MS = 250;

export function operationReports(store: Pick<Store, "read" | "transact">, now: () => Date): OperationReports {
  /** Operations whose last progress is still to be told, by their id. */
  const later = new Map<string, NodeJS.Timeout>();
  return {
    async report(accountId, operation, progress) {
      const { operationId } = operation;
      const { held, told } = await store.transact(accountId, (tx) => advanceOperation(tx, operation, progress, now()));
      if (!held) throw new HubError("CANCELLED", "The operation is over, or another process carries it on.");
      if (told || later.has(operationId)) return;
      const tell = () => {
        later.delete(operationId);
        // who follows is told of the next, or of the end
        store.transact(accountId, (tx) => tellProgress(tx, operation, now())).catch(() => {});
      };
      later.set(operationId, setTimeout(tell, TELL_EVERY_MS).unref());
    },

    async wait(viewer, operationId, { forMs, signal, tell }) {
      const accountId = viewer.account.id;
      const end = now().getTime() + forMs;
      let last = "";
      const tellOf = async (read: Reader, say: (progress: Progress) => void): Promise<boolean> => {
        const { progress, state } = await getOperation(read, operationId, viewer, now());
        const text = JSON.stringify(progress);
        if (text !== last) say(progress);
        last = text;
        return state !== "working";
      };
      while (now().getTime() < end && !signal.aborted) {
        const look = (read: Reader) => (tell ? tellOf(read, tell) : isOver(read, operationId, now()));
        const over = await store.read(accountId, look, signal);
        if (over) return;
        await pause(LOOK_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}
