/** The hub's two roles and its database in the embedded server. The superuser is for making these alone. */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

export const OWNER_ROLE = "countersign_owner";
export const RUNTIME_ROLE = "countersign_hub";
const DATABASE = "countersign";

/** Advisory lock: roles are the whole server's, and two processes that alter one at once fail. */
const MAKING_ROLES = "7310, 4";

/** How the hub signs in: as the owner to migrate, as the runtime role for everything else. */
export interface Logins {
  readonly owner: pg.PoolConfig;
  readonly runtime: pg.PoolConfig;
}

/**
 * Makes the roles and the database where they are missing, and mends roles that were given more than they may have.
 * Several processes may call it at once. Passwords are random, in `<home>/<role>.password`, mode 0600.
 */
export async function prepareEmbeddedRoles(superuser: pg.ClientConfig, home: string): Promise<Logins> {
  const logins = await makeRoles(superuser, home);
  const client = await connect(superuser);
  try {
    await client.query(`select pg_advisory_lock(${MAKING_ROLES})`);
    await makeDatabase(client, DATABASE);
  } finally {
    await client.end(); // ends the lock too
  }
  return forDatabase(logins, DATABASE);
}

/** The roles alone. The logins name no database yet. */
export async function makeRoles(superuser: pg.ClientConfig, home: string): Promise<Logins> {
  const owner = { role: OWNER_ROLE, password: keptPassword(home, OWNER_ROLE) };
  const runtime = { role: RUNTIME_ROLE, password: keptPassword(home, RUNTIME_ROLE) };
  const client = await connect(superuser);
  try {
    await client.query(`select pg_advisory_lock(${MAKING_ROLES})`);
    const { rows } = await client.query<{ rolname: string }>("select rolname from pg_roles");
    const present = new Set(rows.map((row) => row.rolname));
    for (const { role, password } of [owner, runtime]) {
      const verb = present.has(role) ? "alter" : "create";
      const may = role === OWNER_ROLE ? "createdb" : "nocreatedb";
      await client.query(
        `${verb} role ${role} login ${may} nosuperuser nobypassrls nocreaterole noreplication password ${client.escapeLiteral(password)}`,
      );
    }
  } finally {
    await client.end();
  }
  const { host, port } = superuser;
  return {
    owner: { host, port, user: owner.role, password: owner.password },
    runtime: { host, port, user: runtime.role, password: runtime.password },
  };
}

/** The same logins, for one database. */
export function forDatabase(logins: Logins, database: string): Logins {
  return { owner: { ...logins.owner, database }, runtime: { ...logins.runtime, database } };
}

/** A database of the owner's that only the two roles can connect to. `template` must have no connections. */
export async function makeDatabase(superuser: pg.ClientBase, name: string, template?: string): Promise<void> {
  const { rowCount } = await superuser.query("select from pg_database where datname = $1", [name]);
  if (!rowCount) {
    await superuser.query(`create database "${name}" owner ${OWNER_ROLE} ${template ? `template "${template}"` : ""}`);
  }
  await superuser.query(`revoke all on database "${name}" from public`);
  await superuser.query(`grant connect on database "${name}" to ${RUNTIME_ROLE}`);
}

/** The role's password, made by whoever asks first: a link either makes the whole file or finds one. */
function keptPassword(home: string, role: string): string {
  const path = join(home, `${role}.password`);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const fresh = join(home, `password-${process.pid}-${randomBytes(4).toString("hex")}`);
  writeFileSync(fresh, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(fresh);
  }
  return readFileSync(path, "utf8");
}

async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  client.on("error", () => {}); // the statement at work is rejected too
  await client.connect();
  return client;
}
