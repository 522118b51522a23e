import type { IdempotencyRow, IdempotencyWriter } from "../../action/idempotency.ts";
import type { Session } from "./database.ts";

interface Row {
  call_id: string;
  input_mac: Buffer;
  state: IdempotencyRow["state"];
  outcome: string | null;
}

const SCOPE = "principal_id = $1 and action = $2 and key = $3";
const HELD = `select call_id, input_mac, state, outcome from idempotency
  where ${SCOPE} and (expires_at >= now() or state = 'running')`;

export function idempotencyStore(session: Session): IdempotencyWriter {
  return {
    async find({ principalId, action, key }) {
      const { rows } = await session.query<Row>(HELD, [principalId, action, key]);
      return rows[0] && held(rows[0]);
    },

    async claim({ principalId, action, key }, { callId, epoch, inputMac, expiresAt }) {
      const scope = [principalId, action, key];
      await session.query(
        `delete from idempotency where ${SCOPE} and expires_at < now() and state <> 'running'`,
        scope,
      );
      const claimed = await session.query(
        `insert into idempotency (account_id, principal_id, action, key, call_id, epoch_no, input_mac, state, expires_at)
         values (current_setting('app.account_id')::uuid, $1, $2, $3, $4, $5, $6, 'running', $7) on conflict do nothing`,
        [...scope, callId, epoch, inputMac, expiresAt],
      );
      if (claimed.rowCount === 1) return undefined;
      const { rows } = await session.query<Row>(HELD, scope);
      // released between the two statements: the caller is told to try again, as for a call under way
      return rows[0] ? held(rows[0]) : { callId, inputMac, state: "running" };
    },

    async settle({ principalId, action, key }, callId, state, outcome) {
      const settled = await session.query(
        `update idempotency set state = $5, outcome = $6 where ${SCOPE} and call_id = $4 and state = 'running'`,
        [principalId, action, key, callId, state, outcome],
      );
      return settled.rowCount === 1;
    },

    async release({ principalId, action, key }, callId) {
      await session.query(`delete from idempotency where ${SCOPE} and call_id = $4 and state = 'running'`, [
        principalId,
        action,
        key,
        callId,
      ]);
    },
  };
}

function held({ call_id, input_mac, state, outcome }: Row): IdempotencyRow {
  return { callId: call_id, inputMac: input_mac, state, ...(outcome !== null && { outcome }) };
}
