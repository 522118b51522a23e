import { HUB_PRINCIPAL_NAME } from "../../../contracts/identity/principal.ts";
import type { RecoveryNotes } from "../../journal/recovery-notes.ts";
import type { Database, Session } from "./database.ts";
import { identityStore } from "./identity-store.ts";

interface Row {
  account_id: string;
  call_id: string;
  action: string;
  input: string;
  output: string | null;
  target_type: string;
  target_id: string;
  effected: boolean;
}

export function recoveryNotes(database: Database): RecoveryNotes {
  return {
    async unrecorded() {
      const { rows } = await database.query<Row>("select * from hub_recovery_notes()");
      const notes = rows.map(async ({ account_id: accountId, call_id: callId, output, ...row }) => {
        const hub = await database.read(accountId, (session) =>
          identityStore(session).principalNamed(HUB_PRINCIPAL_NAME),
        );
        if (!hub) throw new Error("cannot happen: an account without the hub's own principal");
        const { action, input, effected } = row;
        const target = { type: row.target_type, id: row.target_id };
        return {
          accountId,
          principalId: hub.id,
          callId,
          action,
          input,
          ...(output !== null && { output }),
          target,
          effected,
        };
      });
      return Promise.all(notes);
    },

    async recorded({ accountId, callId }) {
      await database.query("select hub_recovery_recorded($1, $2)", [accountId, callId]);
    },
  };
}

/** In the transaction of the change, of which `output` is the commitment; false where the note was given up meanwhile. */
export async function noteEffect(
  session: Session,
  { accountId, callId }: { readonly accountId: string; readonly callId: string },
  output: string,
): Promise<boolean> {
  const { rows } = await session.query<{ effected: boolean }>("select hub_recovery_effected($1, $2, $3) as effected", [
    accountId,
    callId,
    output,
  ]);
  return rows[0]?.effected === true;
}
