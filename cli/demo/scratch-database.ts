import { Database } from "../../server/adapters/postgres/database.ts";
import { joinEmbeddedPostgres, stopEmbeddedPostgres } from "../../server/adapters/postgres/embedded-postgres.ts";
import { HubError } from "../../server/errors.ts";

/** What an intruder changed. */
export interface Tampered {
  readonly receiptId: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Plays the intruder: as the database's superuser, past the gate, row-level security and the runtime role's rights, turns
 * one hexadecimal digit of the digest of the call's input into another, in a receipt that was signed.
 */
export async function changeOneByte(dataDir: string, receiptId: string): Promise<Tampered> {
  const embedded = await joinEmbeddedPostgres(dataDir);
  const database = new Database({ ...embedded.superuser, database: "countersign" }, { poolSize: 2 });
  try {
    const [callId, phase] = receiptId.split(".");
    const { rows } = await database.query<{ before: string; after: string }>(
      `with found as (
         select account_id, call_id, phase, statement, place,
           set_byte(statement, place, case get_byte(statement, place) when 48 then 49 else 48 end) as changed
         from receipt, position('"input":"'::bytea in statement) as start, lateral (select start + 8 as place) as at
         where call_id = $1 and phase = $2 and start > 0)
       update receipt r set statement = f.changed from found f
       where (r.account_id, r.call_id, r.phase) = (f.account_id, f.call_id, f.phase)
       returning convert_from(substring(f.statement from f.place - 7 for 16), 'utf8') as before,
         convert_from(substring(f.changed from f.place - 7 for 16), 'utf8') as after`,
      [callId, phase],
    );
    const [row] = rows;
    if (!row) throw new HubError("NOT_FOUND", `There is no receipt ${receiptId} with an input.`);
    return { receiptId, ...row };
  } finally {
    await database.close();
    await embedded.release();
  }
}

/** Stops the scratch hub's PostgreSQL, so that its folder can be removed. */
export const stopDatabase = (dataDir: string): Promise<void> => stopEmbeddedPostgres(dataDir);
