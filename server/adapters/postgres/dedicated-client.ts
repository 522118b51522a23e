import type pg from "pg";
import { QuietClient } from "./quiet-client.ts";

/** A connection for one purpose, outside of the pool: what holds a session lock, or writes the journal's commits. */
export async function dedicatedClient(config: pg.ClientConfig, applicationName: string): Promise<pg.Client> {
  const client = new QuietClient({
    ...config,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  return client;
}
