import type { Queue } from "pg-boss";

/** A job carries ids alone: everything else is read from the row when it runs. */
export interface RequestJob {
  readonly accountId: string;
  readonly requestId: string;
}

/** Likewise of an operation. */
export interface OperationJob {
  readonly accountId: string;
  readonly operationId: string;
}

export const ADVANCE_OPERATIONS = "operation-advance";
export const EXECUTE_APPROVED = "approval-execute";
export const EXPIRE_APPROVALS = "approval-expire";

/** What each queue carries. */
export interface QueuedJobs {
  readonly [ADVANCE_OPERATIONS]: OperationJob;
  readonly [EXECUTE_APPROVED]: RequestJob;
  readonly [EXPIRE_APPROVALS]: RequestJob;
}

const DAY_SECONDS = 86_400;

/** Their policies are for life; everything else follows this list at the next start. */
export const QUEUES: readonly Queue[] = [
  {
    name: EXECUTE_APPROVED,
    notify: true,
    // the grant is spent once, whoever comes back: retries are for a hub or a database that was away meanwhile
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 120,
    // a killed process is noticed within seconds
    heartbeatSeconds: 10,
    deleteAfterSeconds: DAY_SECONDS,
  },
  {
    name: ADVANCE_OPERATIONS,
    notify: true,
    // a claim raises the fence: whoever was thought dead changes nothing any more
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    heartbeatSeconds: 10,
    deleteAfterSeconds: DAY_SECONDS,
  },
  {
    name: EXPIRE_APPROVALS,
    retryLimit: 20,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 600,
    deleteAfterSeconds: DAY_SECONDS,
  },
];
