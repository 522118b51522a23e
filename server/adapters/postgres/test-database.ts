/**
 * A database of a test's own, on the embedded PostgreSQL that all tests of this OS user share. It is a copy of a
 * template that was migrated once, so that it takes a fraction of a second.
 */
import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Queue } from "pg-boss";
import { migrate } from "../../../prisma/migrate.ts";
import { readMigrations } from "../../../prisma/migration-history.ts";
import { setupDigest } from "../../../prisma/setup.ts";
import { Database } from "./database.ts";
import { alive } from "./embedded-cluster.ts";
import { joinEmbeddedPostgres } from "./embedded-postgres.ts";
import { forDatabase, type Logins, makeDatabase, makeRoles, RUNTIME_ROLE } from "./embedded-roles.ts";
import { PRIVILEGES } from "./privileges.ts";

/** Advisory lock in the database `postgres`: shared to copy a template, exclusive to make one and drop those before. */
const TEMPLATE = "7310, 5";

/** No test pulls the plug: what a killed process leaves is in the kernel's hands, so nothing needs to reach the disk. */
const SETTINGS = { fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_connections: "300" };

export interface TestDatabase extends AsyncDisposable {
  readonly runtime: pg.PoolConfig;
  readonly owner: pg.PoolConfig;
  /** For what no role of the hub's may do: seeding around foreign keys, looking at everything. */
  readonly superuser: pg.PoolConfig;
  /** As the runtime role. */
  readonly database: Database;
}

interface Cluster {
  readonly superuser: pg.ClientConfig;
  readonly logins: Logins;
}

/** Migrated, empty, gone when disposed of: `await using db = await testDatabase()`. */
export async function testDatabase({ queues = [] as readonly Queue[], poolSize = 5 } = {}): Promise<TestDatabase> {
  const { superuser, logins } = await testCluster();
  const name = `test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await administer(superuser, (client) => copyTemplate(client, name, logins, queues));
  const { owner, runtime } = forDatabase(logins, name);
  const database = new Database(runtime, { poolSize });
  return {
    owner,
    runtime,
    superuser: { ...superuser, database: name },
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await administer(superuser, (client) => client.query(`drop database if exists "${name}" with (force)`));
    },
  };
}

/** An empty database of the owner's, not migrated. Dispose of it too. */
export async function emptyDatabase(): Promise<Omit<TestDatabase, "database">> {
  const { superuser, logins } = await testCluster();
  const name = `test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await administer(superuser, (client) => makeDatabase(client, name));
  return {
    ...forDatabase(logins, name),
    superuser: { ...superuser, database: name },
    async [Symbol.asyncDispose]() {
      await administer(superuser, (client) => client.query(`drop database if exists "${name}" with (force)`));
    },
  };
}

let joined: Promise<Cluster> | undefined;

/** The shared server, joined once a process; it stops by itself some time after the last test. */
export function testCluster(): Promise<Cluster> {
  joined ??= joinTestCluster();
  return joined;
}

async function joinTestCluster(): Promise<Cluster> {
  const folder = process.env.COUNTERSIGN_TEST_CLUSTER_DIR ?? sharedFolder();
  const options = { settings: SETTINGS, idleStopMs: 15_000, keepsProcess: false };
  const { superuser, home } = await joinEmbeddedPostgres(folder, options);
  const logins = await makeRoles(superuser, home);
  await administer(superuser, dropLeftOvers);
  return { superuser, logins };
}

/** Known by its name to every run of this OS user, and nobody else's. */
function sharedFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `countersign-test-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const { uid: owner } = lstatSync(folder);
  if (owner !== uid || !lstatSync(folder).isDirectory()) throw new Error(`${folder} belongs to somebody else`);
  return folder;
}

/** Copies the template; makes it first where no run has yet, or where the migrations changed since. */
async function copyTemplate(client: pg.Client, name: string, logins: Logins, queues: readonly Queue[]): Promise<void> {
  const migrations = readMigrations();
  const generation = setupDigest(migrations, PRIVILEGES, undefined).slice(0, 16);
  const template = `template_${generation}_${setupDigest(migrations, PRIVILEGES, queues).slice(0, 16)}`;
  for (;;) {
    const found = await locked(client, "_shared", async () => {
      const { rowCount } = await client.query("select from pg_database where datname = $1", [template]);
      if (rowCount) await makeDatabase(client, name, template);
      return Boolean(rowCount);
    });
    if (found) return;
    await locked(client, "", async () => {
      await dropTemplates(client, generation);
      await makeTemplate(client, template, logins, queues);
    });
  }
}

/** Those of other migrations, and what a killed process was making. */
async function dropTemplates(client: pg.Client, generation: string): Promise<void> {
  const { rows } = await client.query<{ datname: string }>(
    "select datname from pg_database where datname ~ '^making_' or datname ~ '^template_' and datname !~ $1",
    [`^template_${generation}_`],
  );
  for (const { datname } of rows) await client.query(`drop database "${datname}" with (force)`);
}

async function makeTemplate(client: pg.Client, name: string, logins: Logins, queues: readonly Queue[]): Promise<void> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
  if (rowCount) return; // another process made it while this one waited for the lock
  const unfinished = name.replace("template_", "making_");
  await makeDatabase(client, unfinished);
  await migrate({ ...logins.owner, database: unfinished }, RUNTIME_ROLE, { queues });
  await client.query(`alter database "${unfinished}" rename to "${name}"`);
}

async function locked<T>(client: pg.Client, mode: "" | "_shared", fn: () => Promise<T>): Promise<T> {
  await client.query(`select pg_advisory_lock${mode}(${TEMPLATE})`);
  try {
    return await fn();
  } finally {
    await client.query(`select pg_advisory_unlock${mode}(${TEMPLATE})`);
  }
}

/** Databases of test processes that were killed. */
async function dropLeftOvers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname ~ '^test_'");
  const abandoned = rows.filter(({ datname }) => !alive(Number(datname.split("_")[1])));
  for (const { datname } of abandoned) await client.query(`drop database if exists "${datname}" with (force)`);
}

async function administer<T>(superuser: pg.ClientConfig, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(superuser);
  client.on("error", () => {}); // the statement at work rejects too
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}
