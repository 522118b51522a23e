import { randomBytes } from "node:crypto";
import { v7 } from "uuid";
import { openAccount } from "../cli/commands/recover/open-account.ts";
import { configFrom, secretsFrom } from "../server/config/config.ts";
import { readEnv } from "../server/config/env.ts";
import { sealMaterial, withDigest } from "../server/domain/credentials/credential-record.ts";

const BATCH = 1_000;
const SECRET = randomBytes(40);

/** Whose they are, and what their names begin with. */
export interface NewRows {
  readonly env: NodeJS.ProcessEnv;
  readonly ownerId: string;
  readonly prefix: string;
  readonly count: number;
}

/**
 * Puts credentials into a hub's database, each sealed under a data key of its own as the hub would seal it. Past its gate,
 * and so without receipts: what is measured is the walk over them.
 */
export async function addCredentialRows({ env, ownerId, prefix, count }: NewRows): Promise<void> {
  const settings = readEnv(env);
  await using account = await openAccount(configFrom(settings), secretsFrom(settings));
  const { id: accountId, keys, database } = account;
  for (let made = 0; made < count; made += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, count - made) }, () => randomBytes(32));
    const wrapped = await keys.encryptBatch(
      accountId,
      "data",
      items.map((plaintext) => ({ plaintext })),
    );
    const rows = wrapped.map((result, i) => {
      if (!result.ok) throw result.error;
      const place = { accountId, id: v7(), materialVersion: 1 };
      const record = withDigest({
        ...place,
        name: `${prefix}-${made + i}`,
        kind: "bearer-token",
        username: undefined,
        allowedHosts: ["api.example.com"],
        consumers: ["gateway"],
        expiresAt: undefined,
        rotateEveryDays: undefined,
        version: 1,
        wrappedKey: result.value,
        sealed: sealMaterial(place, SECRET, items[i] ?? Buffer.alloc(0)),
      });
      return record;
    });
    await database.transact(accountId, (session) =>
      session.query(
        `insert into credential (account_id, id, name, kind, description, owner_id, allowed_hosts, consumers, version,
           material_version, wrapped_key, sealed, salt, digest, provided_at, created_by, created_at, updated_at)
         select $1, one.id, one.name, 'bearer-token', '', $2, '{api.example.com}', '{gateway}', 1, 1, one.wrapped,
           one.sealed, one.salt, one.digest, now(), $2, now(), now()
         from unnest($3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[])
           as one(id, name, wrapped, sealed, salt, digest)`,
        [
          accountId,
          ownerId,
          rows.map(({ id }) => id),
          rows.map(({ name }) => name),
          rows.map(({ wrappedKey }) => wrappedKey),
          rows.map(({ sealed }) => sealed),
          rows.map(({ salt }) => salt),
          rows.map(({ digest }) => digest),
        ],
      ),
    );
  }
}
