import type { EventSource } from "../../domain/events/event-feed.ts";
import type { Database } from "./database.ts";

/** Events by position, for who follows an account. */
export function eventSource(database: Database): EventSource {
  return {
    latest: (accountId) =>
      database.read(accountId, async (session) => {
        const { rows } = await session.query<{ position: string }>(
          "select coalesce(max(position), -1) as position from event where account_id = $1",
          [accountId],
        );
        return Number(rows[0]?.position);
      }),

    after: (accountId, position, limit) =>
      database.read(accountId, async (session) => {
        const { rows } = await session.query<{
          type: string;
          subject: string;
          data: Record<string, unknown>;
          position: string;
        }>(
          `select type, subject, data, position from event
           where account_id = $1 and position > $2 order by position limit $3`,
          [accountId, position, limit],
        );
        return rows.map((row) => ({ ...row, position: Number(row.position) }));
      }),
  };
}
