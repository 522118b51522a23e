import { v7 } from "uuid";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import { commit } from "../../../contracts/formats/commitment.ts";
import type { Session } from "../../../server/adapters/postgres/database.ts";
import { noteEffect } from "../../../server/adapters/postgres/recovery-notes.ts";
import { HubError } from "../../../server/errors.ts";
import type { NotableAccount } from "./open-account.ts";
import type { Change, Recorded } from "./record-change.ts";

/**
 * Makes the change without the root key: nothing can be signed here. The owner of the tables notes first what will be
 * done, which is durable; the change says in its own transaction, under the runtime role, that it was done; and the next
 * hub that has the root key puts both into the journal, under a name that says whose word that is. Answers with the
 * receipt that there will be.
 */
export async function noteChange<Output extends object>(
  { id: accountId, database, owner }: NotableAccount,
  { action, input, target, effect }: Change<Output>,
): Promise<Recorded<Output>> {
  const { digest, salt } = commit(Buffer.from(canonicalize(input)));
  const callId = v7();
  await owner.query(
    `insert into recovery_note (account_id, call_id, action, input, target_type, target_id)
     values ($1, $2, $3, $4, $5, $6)`,
    [accountId, callId, `${action}_by_owner`, digest, target.type, target.id],
  );
  const output = await database.transact(accountId, async (session: Session) => {
    const made = await effect(session, { now: new Date(), callId });
    const seen = commit(Buffer.from(canonicalize(made as Record<string, Json>)), salt).digest;
    if (await noteEffect(session, { accountId, callId }, seen)) return made;
    throw new HubError("CONFLICT", "This took too long: a hub has recorded that it was not done. Start again.");
  });
  return { output, receipt: { id: `${callId}.outcome`, callId, salt: salt.toString("base64") } };
}
