import type { Session } from "./database.ts";

/** Milliseconds between two looks for buckets that nobody needs any more. */
const FORGET_EVERY_MS = 10 * 60_000;

/** The buckets that all processes of a hub share. `session` carries no account: a bucket belongs to none. */
export function rateStore(session: Session, now: () => number = () => performance.now()) {
  let forgotAt = Number.NEGATIVE_INFINITY;
  return {
    /** Takes `spent` calls from a bucket of `capacity`, and answers with what is left. Throws STORE_UNAVAILABLE, TIMEOUT. */
    async spend(bucket: Buffer, spent: number, capacity: number): Promise<number> {
      if (now() - forgotAt >= FORGET_EVERY_MS) {
        forgotAt = now();
        await session.query("select hub_forget_rates()");
      }
      const { rows } = await session.query<{ level: number }>({
        name: "hub_spend_rate",
        text: "select hub_spend_rate($1, $2, $3) as level",
        values: [bucket, spent, capacity],
      });
      return (rows[0] as { level: number }).level;
    },
  };
}
