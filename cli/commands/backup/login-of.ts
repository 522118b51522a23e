import type pg from "pg";
import type { Secret } from "../../../server/config/secret.ts";
import type { Client } from "../doctor/open-logins.ts";

/** How to sign in once more as an open connection did, by its URL where it has one; perhaps to another database. */
export function loginOf(
  { host, port, user, password, database }: Client,
  url?: Secret,
  other?: string,
): pg.ClientConfig & { database?: string } {
  if (url) return { connectionString: other === undefined ? url.reveal() : urlOf(url.reveal(), other) };
  const to = other ?? database;
  return { host, port, ...(user !== undefined && { user }), ...(password != null && { password }), ...(to !== undefined && { database: to }) };
}

/** The same server and role, another database. */
export function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.href;
}
