import { type ConstructorOptions, type Db, type Job, PgBoss } from "pg-boss";
import {
  ADVANCE_OPERATIONS,
  EXECUTE_APPROVED,
  EXPIRE_APPROVALS,
  type OperationJob,
  type QueuedJobs,
  type RequestJob,
} from "./queues.ts";

/** Where statements of a transaction go. */
interface Session {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: object[] }>;
}

/**
 * The queue in the hub's own database (schema `pgboss`, which the migrating role owns). `runtime` is how to connect as
 * the runtime role: it creates and alters nothing. Stop it with `closeJobs`.
 */
export async function openJobs(runtime: object, onError: (error: Error) => void): Promise<PgBoss> {
  const options: ConstructorOptions = {
    ...runtime,
    migrate: false,
    createSchema: false,
    reindex: false,
    schedule: false,
    max: 3,
    application_name: "countersign-jobs",
    // both default to 60 s, and a lost heartbeat is only seen by this pass
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    // a sent job starts in milliseconds; polling stays as the floor
    useListenNotify: true,
  };
  const boss = new PgBoss(options);
  boss.on("error", onError); // without a listener an error ends the process
  return boss.start();
}

/** Lets running jobs finish for at most this long; their signal then fires, and they come again elsewhere. */
export function closeJobs(boss: PgBoss, timeoutMs: number): Promise<void> {
  return boss.stop({ graceful: true, timeout: timeoutMs });
}

/** Sends jobs inside the transaction that gives them their reason: without its commit there is no job. */
export function transactionalJobs(boss: PgBoss) {
  return {
    async advance(session: Session, job: OperationJob, at?: Date): Promise<void> {
      const options = { db: within(session), group: { id: job.accountId }, ...(at && { startAfter: at }) };
      await boss.send(ADVANCE_OPERATIONS, { ...job }, options);
    },
    async execute(session: Session, job: RequestJob): Promise<void> {
      await boss.send(EXECUTE_APPROVED, { ...job }, { db: within(session), group: { id: job.accountId } });
    },
    async expire(session: Session, job: RequestJob, at: Date): Promise<void> {
      await boss.send(EXPIRE_APPROVALS, { ...job }, { db: within(session), startAfter: at });
    },
  };
}

/** Polls as well as listens: a retry, or a job of a process that died, is not notified (the default then is 30 s). */
const PACE = { batchSize: 1, pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 2 } as const;
/** Jobs at a time in one process: operations, and calls, wait for others' servers, which may be slow on purpose. */
const AT_A_TIME: Readonly<Record<keyof QueuedJobs, number>> = {
  [ADVANCE_OPERATIONS]: 8,
  [EXECUTE_APPROVED]: 4,
  [EXPIRE_APPROVALS]: 2,
};
/** Of these, jobs of one account: they leave room for the others'. */
const OF_ONE_ACCOUNT: Partial<Record<keyof QueuedJobs, number>> = { [ADVANCE_OPERATIONS]: 4, [EXECUTE_APPROVED]: 2 };

/** One job a call. `run` gets a signal that fires when the job loses its heartbeat or the hub stops. */
export async function workOn<Q extends keyof QueuedJobs>(
  boss: PgBoss,
  queue: Q,
  run: (job: QueuedJobs[Q], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ofOne = OF_ONE_ACCOUNT[queue];
  const most = { localConcurrency: AT_A_TIME[queue], ...(ofOne !== undefined && { localGroupConcurrency: ofOne }) };
  await boss.work(queue, { ...PACE, ...most }, async ([job]: Job<QueuedJobs[Q]>[]) => {
    if (job) await run(job.data, job.signal);
  });
}

function within(session: Session): Db {
  return { executeSql: (text, values) => session.query(text, values) };
}
