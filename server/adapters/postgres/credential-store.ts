import pg from "pg";
import type { CredentialReader, CredentialWriter, LeftInJournal } from "../../domain/credentials/credential-store.ts";
import { together } from "../../domain/together.ts";
import { HubError } from "../../errors.ts";
import {
  CLAIMS,
  type ClaimColumns,
  CREDENTIALS,
  type CredentialRow,
  claimOf,
  credentialOf,
  type JournalledRow,
  journalled,
  journalledOf,
} from "./credential-rows.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

const ACCOUNT = "current_setting('app.account_id')::uuid";
/** What one statement looks through: some tens of milliseconds. */
const RECEIPTS_A_PAGE = 5_000;
const BEFORE_ALL = [0, -1] as const;
const UNIQUE = "23505";
const REFERENCED = "23503";

/** `id` is null in the one that says where a page of receipts ends. */
interface LostRow {
  epoch_no: string;
  sequence: string;
  id: string | null;
  version: number | null;
}

export function credentialReader(session: Session): CredentialReader {
  const one = async (condition: string, value: string) => {
    const { rows } = await session.query<CredentialRow>(`${CREDENTIALS} where ${condition}`, [value]);
    return rows[0] && credentialOf(rows[0]);
  };
  return {
    byName: (name) => one("c.name = $1", name),
    byId: (id) => one("c.id = $1", id),

    async list({ limit, cursor }) {
      const after = decodeCursor(cursor, ["string"])?.[0];
      const { rows } = await session.query<CredentialRow>(
        `${CREDENTIALS} where $1::text is null or c.name > $1 order by c.name limit $2`,
        [after ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(credentialOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.name]) } : { items };
    },

    async batch(after, limit) {
      const chosen = "$1::uuid is null or c.id > $1 order by c.id limit $2";
      const { rows } = await session.query<JournalledRow>(journalled(chosen), [after ?? null, limit]);
      return rows.map(journalledOf);
    },

    async journalled(id) {
      const { rows } = await session.query<JournalledRow>(journalled("c.id = $1"), [id]);
      return rows[0] && journalledOf(rows[0]);
    },

    async left(id) {
      const { rows } = await session.query<LeftInJournal>(
        "select version, digest from hub_left_credentials(array[$1::uuid])",
        [id],
      );
      return rows[0];
    },

    async lost({ limit, cursor }) {
      const [epoch, sequence] = decodeCursor(cursor, ["number", "number"]) ?? BEFORE_ALL;
      const { rows } = await session.query<LostRow>(
        "select epoch_no, sequence, id, version from hub_lost_credentials($1, $2, $3, $4)",
        [epoch, sequence, RECEIPTS_A_PAGE, limit],
      );
      const items = rows.flatMap(({ id, version }) => (id === null || version === null ? [] : [{ id, version }]));
      // a page that is full ends at its last credential, whatever is left of its receipts
      const end = items.length === limit ? rows[limit - 1] : rows.find(({ id }) => id === null);
      return end ? { items, next: encodeCursor([Number(end.epoch_no), Number(end.sequence)]) } : { items };
    },
  };
}

export function credentialStore(session: Session): CredentialReader & CredentialWriter {
  const claimWhere = async (condition: string, value: string) => {
    const { rows } = await session.query<ClaimColumns>(`${CLAIMS} where ${condition} for update`, [value]);
    return rows[0] && claimOf(rows[0]);
  };
  return {
    ...credentialReader(session),

    async lock(name) {
      // one after the other in the database: what the journal has is looked for when the row is held
      const [{ rows }, { rows: known }] = await together([
        session.query<CredentialRow>(`${CREDENTIALS} where c.name = $1 for update of c`, [name]),
        session.query<JournalledRow>(journalled("c.name = $1"), [name]),
      ]);
      return rows[0] && { credential: credentialOf(rows[0]), latest: known[0] && journalledOf(known[0]).latest };
    },

    async add({ id, name, kind, description, by, at, username, allowedHosts, consumers, ...record }) {
      const { expiresAt, rotateEveryDays, version, materialVersion, salt, digest } = record;
      try {
        await session.query(
          `insert into credential (account_id, id, name, kind, description, owner_id, username, allowed_hosts, consumers,
             expires_at, rotate_every_days, version, material_version, salt, digest, created_by, created_at, updated_at)
           values (${ACCOUNT}, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $5, $15, $15)`,
          [
            ...[id, name, kind, description, by, username ?? null, allowedHosts, consumers, expiresAt ?? null],
            ...[rotateEveryDays ?? null, version, materialVersion, salt, digest, at],
          ],
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE) throw error;
        throw new HubError("ALREADY_EXISTS", `A credential ${name} was stored by somebody else meanwhile.`, {
          path: "name",
          cause: error,
        });
      }
    },

    async put({ id, allowedHosts, consumers, expiresAt, rotateEveryDays, version, materialVersion, ...record }) {
      const { wrappedKey, sealed, salt, digest, providedAt, at } = record;
      await session.query(
        `update credential set allowed_hosts = $2, consumers = $3, expires_at = $4, rotate_every_days = $5, version = $6,
           material_version = $7, wrapped_key = $8, sealed = $9, salt = $10, digest = $11, provided_at = $12, updated_at = $13
         where id = $1`,
        [
          ...[id, allowedHosts, consumers, expiresAt ?? null, rotateEveryDays ?? null, version, materialVersion],
          ...[wrappedKey ?? null, sealed ?? null, salt, digest, providedAt ?? null, at],
        ],
      );
    },

    async remove(id) {
      try {
        await session.query("delete from credential where id = $1", [id]);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== REFERENCED) throw error;
        throw new HubError("IN_USE", "A repository that was registered meanwhile uses it.", { cause: error });
      }
    },

    async addClaim({ id, credentialId, sha256, createdBy, createdAt, expiresAt }) {
      await session.query(
        `update credential_claim set replaced_at = $2
         where credential_id = $1 and used_at is null and replaced_at is null`,
        [credentialId, createdAt],
      );
      await session.query(
        `insert into credential_claim (account_id, id, credential_id, sha256, created_by, created_at, expires_at)
         values (${ACCOUNT}, $1, $2, $3, $4, $5, $6)`,
        [id, credentialId, sha256, createdBy, createdAt, expiresAt],
      );
    },

    lockClaim: (id) => claimWhere("id = $1", id),
    openClaim: (name) =>
      claimWhere(
        "credential_id = (select id from credential where name = $1) and used_at is null and replaced_at is null",
        name,
      ),

    async spendClaim(id, at) {
      await session.query("update credential_claim set used_at = $2 where id = $1", [id, at]);
    },

    async touch(id, at) {
      await session.query(
        `update credential set last_used_at = $2
         where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '1 minute')`,
        [id, at],
      );
    },
  };
}
