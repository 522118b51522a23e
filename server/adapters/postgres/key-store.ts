import type { KeyName } from "../../domain/keys/key-service.ts";
import type { KeyStore, NewKeyVersion, StoredKeyVersion } from "../embedded-keys/key-store.ts";
import type { Database } from "./database.ts";

interface Row {
  version: number;
  type: StoredKeyVersion["type"];
  wrapped: Buffer;
  public_key: Buffer | null;
  created_at: Date;
}

/** Keys in the table `key_version`, in transactions of their own: a key outlives the call that first needed it. */
export class PostgresKeyStore implements KeyStore {
  readonly #database: Pick<Database, "read" | "transact">;

  constructor(database: Pick<Database, "read" | "transact">) {
    this.#database = database;
  }

  insertVersion(accountId: string, keyName: KeyName, key: NewKeyVersion): Promise<boolean> {
    return this.#database.transact(accountId, async (session) => {
      const { rowCount } = await session.query(
        `insert into key_version (account_id, name, version, type, wrapped, public_key) values ($1, $2, $3, $4, $5, $6)
         on conflict (account_id, name, version) do nothing`,
        [accountId, keyName, key.version, key.type, key.wrapped, key.publicKey],
      );
      return rowCount === 1;
    });
  }

  versions(accountId: string, keyName: KeyName): Promise<StoredKeyVersion[]> {
    return this.#database.read(accountId, async (session) => {
      const { rows } = await session.query<Row>(
        `select version, type, wrapped, public_key, created_at from key_version
         where account_id = $1 and name = $2 order by version`,
        [accountId, keyName],
      );
      return rows.map(({ version, type, wrapped, public_key, created_at }) => ({
        version,
        type,
        wrapped,
        publicKey: public_key,
        createdAt: created_at,
      }));
    });
  }
}
