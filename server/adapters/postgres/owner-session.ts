import type pg from "pg";
import { HubError } from "../../errors.ts";
import { QuietClient } from "./quiet-client.ts";

/** How to sign in. */
export type Login = pg.PoolConfig;

/**
 * A connection for work that may take long, as backups and restores do: nothing is waited for less than it takes. `name` is
 * the variable that leads there. Throws DATABASE_UNREACHABLE.
 */
export async function ownerSession(login: Login, name = "the database"): Promise<pg.Client> {
  const client = new QuietClient({
    ...login,
    application_name: "countersign-backup",
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  try {
    await client.connect();
    return client;
  } catch (cause) {
    // PostgreSQL's sentence names role and database; the URL with its password stays out
    const said = cause instanceof AggregateError ? (cause.errors[0] as Error).message : (cause as Error).message;
    throw new HubError("DATABASE_UNREACHABLE", `${name} lets nobody in: ${said}.`, { cause, path: name });
  }
}

export async function roleOf(client: pg.ClientBase): Promise<string> {
  return (await client.query<{ role: string }>("select current_user::text as role")).rows[0]?.role ?? "";
}

/** The same server and role, another database. */
export function elsewhere(login: Login, database: string): Login {
  if (login.connectionString === undefined) return { ...login, database };
  const changed = new URL(login.connectionString);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return { ...login, connectionString: changed.href };
}
