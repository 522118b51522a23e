import type { PgBoss } from "pg-boss";
import type { Gate } from "../action/gate.ts";
import { runApproved } from "../action/run-approved.ts";
import { workOn } from "./open-jobs.ts";
import { EXECUTE_APPROVED, type RequestJob } from "./queues.ts";

/** Carries out what people agreed to, through the one gate. A repeated job finds the grant spent and does nothing. */
export function executeApproved(
  boss: PgBoss,
  gate: Gate,
  run: (gate: Gate, job: RequestJob, signal: AbortSignal) => Promise<void> = runApproved,
): Promise<void> {
  return workOn(boss, EXECUTE_APPROVED, (job, signal) => run(gate, job, signal));
}
