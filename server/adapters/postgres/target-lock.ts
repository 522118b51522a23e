import type { TargetLock } from "../../action/store.ts";
import type { Session } from "./database.ts";

/** Advisory, until the transaction ends; every change of a target through the gate takes it. */
export function targetLock(session: Session): TargetLock {
  return {
    async lock(type, id) {
      await session.query(
        "select pg_advisory_xact_lock(hashtextextended('target ' || current_setting('app.account_id') || ' ' || $1, 0))",
        [`${type} ${id}`],
      );
    },
  };
}
