import type pg from "pg";
import { QuietClient } from "./quiet-client.ts";

/** A connection for one purpose, outside of the pool: what holds a session lock, or writes the journal's commits. */
export async function dedicatedClient(config: pg.ClientConfig, applicationName: string): Promise<pg.Client> {
  const client = new QuietClient({
    ...config,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    // for a server that took the statement and then says nothing at all
    query_timeout: 20_000,
  });
  await client.connect();
  return client;
}
