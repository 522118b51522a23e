import type { PgBoss } from "pg-boss";
import type { Gate } from "../action/gate.ts";
import { expireRequest } from "../domain/approvals/expire-request.ts";
import { workOn } from "./open-jobs.ts";
import { EXPIRE_APPROVALS } from "./queues.ts";

/** Writes down what ran out of time. Reads count it as expired before that; this tells who follows events. */
export function expireApprovals(boss: PgBoss, { store, now }: Pick<Gate, "store" | "now">): Promise<void> {
  return workOn(boss, EXPIRE_APPROVALS, ({ accountId, requestId }, signal) =>
    store.transact(accountId, (tx) => expireRequest(tx, requestId, now()), signal),
  );
}
