import pg from "pg";

/** What no call does, and a restored backup or a stranger in the database may: the row of a credential is gone. */
export async function loseCredential(superuser: pg.ClientConfig, name: string): Promise<void> {
  const client = new pg.Client(superuser);
  await client.connect();
  try {
    await client.query("delete from credential where name = $1", [name]);
  } finally {
    await client.end();
  }
}
