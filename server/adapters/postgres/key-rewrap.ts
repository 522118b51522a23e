import type { KeyName, KeyType } from "../../domain/keys/key-service.ts";
import type { VersionPlace } from "../embedded-keys/wrapped-key.ts";
import type { Database, Session } from "./database.ts";
import { ROOT_KEY_LOCK } from "./key-store.ts";

/** What becomes of one wrapped secret: other bytes, or undefined where it stays as it is. */
export type Rewrap = (place: VersionPlace, wrapped: Buffer) => Buffer | undefined;

interface Row {
  name: KeyName;
  version: number;
  type: KeyType;
  derived: boolean;
  wrapped: Buffer;
}

/**
 * Wraps the keys of all accounts anew, in one transaction: all of it or nothing. Meanwhile no key is made or changed
 * anywhere; what is in use goes on being used. Answers with how many secrets were wrapped anew.
 * @param hubAccountId any account that is there
 */
export function rewrapEveryKey(
  database: Pick<Database, "transact">,
  hubAccountId: string,
  rewrap: Rewrap,
): Promise<number> {
  return database.transact(hubAccountId, async (session) => {
    await session.query(`select pg_advisory_xact_lock(${ROOT_KEY_LOCK})`);
    // only now: an account that was made before the lock was had is there, with its keys
    const { rows } = await session.query<{ id: string }>("select hub_accounts() as id");
    let count = 0;
    for (const { id } of rows) {
      await session.query("select set_config('app.account_id', $1, true)", [id]);
      count += await rewrapAccount(session, id, rewrap);
    }
    return count;
  });
}

async function rewrapAccount(session: Session, accountId: string, rewrap: Rewrap): Promise<number> {
  const { rows } = await session.query<Row>(
    `select v.name, version, type, coalesce(derived, false) as derived, wrapped
     from key_version v left join key_rules r on r.account_id = v.account_id and r.name = v.name
     where v.account_id = $1`,
    [accountId],
  );
  const changed = rows.flatMap(({ name, version, type, derived, wrapped }) => {
    const bytes = rewrap({ accountId, keyName: name, version, type, derived }, wrapped);
    return bytes === undefined ? [] : [{ name, version, bytes }];
  });
  await session.query(
    `update key_version set wrapped = c.bytes
     from unnest($2::text[], $3::integer[], $4::bytea[]) as c (name, version, bytes)
     where account_id = $1 and key_version.name = c.name and key_version.version = c.version`,
    [
      accountId,
      changed.map(({ name }) => name),
      changed.map(({ version }) => version),
      changed.map(({ bytes }) => bytes),
    ],
  );
  return changed.length;
}
