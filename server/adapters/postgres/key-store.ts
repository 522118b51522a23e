import type { KeyName } from "../../domain/keys/key-service.ts";
import { together } from "../../domain/together.ts";
import type {
  Decide,
  KeyChange,
  KeyStore,
  StoredKey,
  StoredKeyVersion,
  StoredRules,
} from "../embedded-keys/key-store.ts";
import type { AccountSessions, Session } from "./database.ts";

interface VersionRow {
  version: number;
  type: StoredKeyVersion["type"];
  wrapped: Buffer;
  public_key: Buffer | null;
  created_at: Date;
}

interface RulesRow {
  derived: boolean;
  min_decryption_version: number;
  min_encryption_version: number;
  min_available_version: number;
  deletion_allowed: boolean;
}

/** Whoever wraps a key holds it shared, whoever replaces the root key alone; until the transaction ends. */
export const ROOT_KEY_LOCK = "hashtextextended('countersign root key', 0)";

/** Keys in the tables `key_version` and `key_rules`, in transactions of their own: a key outlives the call that first needed it. */
export class PostgresKeyStore implements KeyStore {
  readonly #database: AccountSessions;

  constructor(database: AccountSessions) {
    this.#database = database;
  }

  names(accountId: string): Promise<KeyName[]> {
    return this.#database.read(accountId, async (session) => {
      const text = "select distinct name from key_version where account_id = $1";
      const { rows } = await session.query<{ name: string }>(text, [accountId]);
      return rows.map(({ name }) => name);
    });
  }

  key(accountId: string, keyName: KeyName): Promise<StoredKey | undefined> {
    return this.#database.read(accountId, (session) => readKey(session, accountId, keyName));
  }

  change(accountId: string, keyName: KeyName, decide: Decide): Promise<void> {
    return this.#database.transact(accountId, async (session) => {
      await session.query(`select pg_advisory_xact_lock_shared(${ROOT_KEY_LOCK})`);
      await session.query(
        "insert into key_rules (account_id, name) values ($1, $2) on conflict (account_id, name) do nothing",
        [accountId, keyName],
      );
      // changes of one key wait here for each other
      const lock = "select from key_rules where account_id = $1 and name = $2 for update";
      await session.query(lock, [accountId, keyName]);
      const change = await decide(await readKey(session, accountId, keyName));
      if (change !== undefined) await carryOut(session, accountId, keyName, change);
    });
  }
}

async function readKey(session: Session, accountId: string, keyName: KeyName): Promise<StoredKey | undefined> {
  const [rules, versions] = await together([
    session.query<RulesRow>(
      `select derived, min_decryption_version, min_encryption_version, min_available_version, deletion_allowed
       from key_rules where account_id = $1 and name = $2`,
      [accountId, keyName],
    ),
    session.query<VersionRow>(
      `select version, type, wrapped, public_key, created_at from key_version
       where account_id = $1 and name = $2 order by version`,
      [accountId, keyName],
    ),
  ]);
  if (versions.rows.length === 0) return undefined;
  return {
    rules: rulesOf(rules.rows[0]),
    versions: versions.rows.map(({ version, type, wrapped, public_key, created_at }) => ({
      version,
      type,
      wrapped,
      publicKey: public_key,
      createdAt: created_at,
    })),
  };
}

async function carryOut(session: Session, accountId: string, keyName: KeyName, change: KeyChange): Promise<void> {
  const key = [accountId, keyName];
  if ("remove" in change) {
    await session.query("delete from key_version where account_id = $1 and name = $2", key);
    await session.query("delete from key_rules where account_id = $1 and name = $2", key);
    return;
  }
  const { add, rules, destroyBelow } = change;
  if (rules !== undefined) {
    await session.query(
      `update key_rules set derived = $3, min_decryption_version = $4, min_encryption_version = $5,
         min_available_version = $6, deletion_allowed = $7 where account_id = $1 and name = $2`,
      [...key, ...valuesOf(rules)],
    );
  }
  if (add !== undefined) {
    await session.query(
      "insert into key_version (account_id, name, version, type, wrapped, public_key) values ($1, $2, $3, $4, $5, $6)",
      [...key, add.version, add.type, add.wrapped, add.publicKey],
    );
  }
  if (destroyBelow !== undefined) {
    await session.query("delete from key_version where account_id = $1 and name = $2 and version < $3", [
      ...key,
      destroyBelow,
    ]);
  }
}

function rulesOf(row: RulesRow | undefined): StoredRules {
  return {
    derived: row?.derived ?? false,
    minDecryptionVersion: row?.min_decryption_version ?? 1,
    minEncryptionVersion: row?.min_encryption_version ?? 0,
    minAvailableVersion: row?.min_available_version ?? 0,
    deletionAllowed: row?.deletion_allowed ?? false,
  };
}

function valuesOf(rules: StoredRules): unknown[] {
  const { derived, minDecryptionVersion, minEncryptionVersion, minAvailableVersion, deletionAllowed } = rules;
  return [derived, minDecryptionVersion, minEncryptionVersion, minAvailableVersion, deletionAllowed];
}
