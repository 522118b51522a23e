import { PgBoss } from "pg-boss";
import { transactionalJobs } from "./open-jobs.ts";

const QUIET = { migrate: false, createSchema: false, supervise: false, schedule: false, max: 1 } as const;

interface Transaction {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: object[] }>;
}

/**
 * Sends the jobs that the rows of a restored database call for, in the owner's transaction: a backup holds no queue.
 * Operations at work go on, approved requests are executed (or, where that had begun, closed as what nobody knows), and
 * what nobody decides expires. Answers with how many.
 */
export async function sendOwedJobs(owner: object, transaction: Transaction): Promise<number> {
  const boss = new PgBoss({ ...owner, ...QUIET });
  boss.on("error", () => {}); // each call below rejects by itself
  await boss.start();
  try {
    const jobs = transactionalJobs(boss);
    const session = {
      query: async (text: string, values: readonly unknown[] = []) => transaction.query(text, [...values]),
    };
    const operations = await rowsOf<{ account_id: string; id: string }>(
      transaction,
      "select account_id, id from operation where state = 'working' order by account_id, id",
    );
    for (const { account_id: accountId, id } of operations) await jobs.advance(session, { accountId, operationId: id });
    const requests = await rowsOf<{ account_id: string; id: string; state: string; until: Date }>(
      transaction,
      `select account_id, id, state, case state when 'open' then approval_expires_at else execution_expires_at end as until
       from approval_request where state in ('open', 'approved', 'executing') order by account_id, id`,
    );
    for (const { account_id: accountId, id: requestId, state, until } of requests) {
      if (state !== "open") await jobs.execute(session, { accountId, requestId });
      if (state !== "executing") await jobs.expire(session, { accountId, requestId }, until);
    }
    return operations.length + requests.length;
  } finally {
    await boss.stop({ graceful: false });
  }
}

async function rowsOf<R extends object>(transaction: Transaction, text: string): Promise<R[]> {
  return (await transaction.query(text)).rows as R[];
}
