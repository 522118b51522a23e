import type { Database } from "./database.ts";

/**
 * Two transactions that meet: the second begins when the first has done its work and before it commits, which it does
 * once the second has ended or waits for it. Nothing here depends on who is faster.
 */
export async function overlap<Tx>(
  database: Database,
  change: (fn: (tx: Tx) => Promise<unknown>) => Promise<unknown>,
  first: (tx: Tx) => Promise<unknown>,
  second: (tx: Tx) => Promise<unknown> = first,
): Promise<{ won: number; lost: string[] }> {
  let other: Promise<unknown> = Promise.resolve();
  const one = change(async (tx) => {
    await first(tx);
    other = change(second);
    await endsOrWaits(database, other);
  });
  await one.catch(() => {});
  return race([one, other]);
}

async function endsOrWaits(database: Database, change: Promise<unknown>): Promise<void> {
  const ended = change.then(
    () => true,
    () => true,
  );
  const text = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  const waits = async () => (await database.query(text)).rowCount > 0;
  while (!(await Promise.race([ended, waits()])));
}

/** How many succeeded, and the codes of the others, in any order. */
export async function race(attempts: readonly Promise<unknown>[]): Promise<{ won: number; lost: string[] }> {
  const results = await Promise.allSettled(attempts);
  const lost = results.flatMap((result) =>
    result.status === "rejected" ? [String(result.reason.code ?? result.reason)] : [],
  );
  return { won: results.length - lost.length, lost };
}
