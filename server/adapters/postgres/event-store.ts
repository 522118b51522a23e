import { v7 } from "uuid";
import { uncatalogued } from "../../../contracts/telemetry/events.ts";
import type { EventReader, EventRow, EventWriter } from "../../domain/events/event-store.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

interface Row {
  id: string;
  type: string;
  subject: string;
  data: Record<string, unknown>;
  at: Date;
  position: string;
}

export function eventStore(session: Session): EventReader & EventWriter {
  return {
    async list({ types, subject }, { limit, cursor }) {
      const after = decodeCursor(cursor, ["number"])?.[0] ?? -1;
      const { rows } = await session.query<Row>(
        `select id, type, subject, data, at, position from event
         where position > $1 and ($2::text[] is null or type = any($2)) and ($3::text is null or subject = $3)
         order by position limit $4`,
        [after, types ?? null, subject ?? null, limit],
      );
      const items = rows.map(eventRow);
      // who follows along goes on from here, also where nothing more is there yet
      return { items, next: encodeCursor([items.at(-1)?.position ?? after]) };
    },

    async emit(...events) {
      for (const event of events) {
        const fault = uncatalogued(event);
        if (fault !== undefined) throw new Error(`an event that is not in the catalogue: ${fault}`);
      }
      await session.query(
        `insert into event (account_id, id, type, subject, data)
         select current_setting('app.account_id')::uuid, e.id, e.type, e.subject, e.data
         from jsonb_to_recordset($1) as e(id uuid, type text, subject text, data jsonb)`,
        [JSON.stringify(events.map((event) => ({ id: v7(), ...event })))],
      );
    },
  };
}

function eventRow({ position, ...row }: Row): EventRow {
  return { ...row, position: Number(position) };
}
