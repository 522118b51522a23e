import { isSetUp } from "../../../prisma/migrate.ts";
import { checkRuntimeRole } from "../../../server/adapters/postgres/runtime-role.ts";
import type { ErrorCode, HubError } from "../../../server/errors.ts";
import { toHubError } from "../../../server/errors.ts";
import { QUEUES } from "../../../server/jobs/queues.ts";
import { broken, type Finding, sound, unknown } from "./finding.ts";
import type { Client, Logins } from "./open-logins.ts";

const LEAST_POSTGRES = 15;
/** Seconds: tokens and approvals expire by both clocks. */
const CLOCKS_APART = 5;

/** What can be asked of PostgreSQL itself. */
export const DATABASE_CHECKS = ["database", "database roles", "migrations", "clock"] as const;

/** A start makes, mends and migrates an embedded database by itself. */
const START = "npx countersign start";

/** Of a database that lets the hub in. */
export async function checkDatabase(logins: Logins): Promise<Finding[]> {
  const { runtime, owner, kind } = logins;
  return [
    await checkVersion(runtime, kind),
    await checkRoles(logins),
    await checkMigrations(runtime, kind === "embedded" || owner !== undefined),
    await checkClock(runtime),
  ];
}

/** Why there is nothing to look at. */
export function noDatabase(says: string): Finding[] {
  return [sound("database", says), ...DATABASE_CHECKS.slice(1).map((check) => unknown(check, "no database yet"))];
}

export function unreachable(error: HubError): Finding[] {
  const rest = DATABASE_CHECKS.slice(1).map((check) => unknown(check, "the database cannot be asked"));
  return [broken("database", error.message, mendFor(error)), ...rest];
}

function mendFor({ path, code, message }: HubError): string {
  if (path === "DATABASE_URL" || path === "COUNTERSIGN_MIGRATION_URL")
    return `psql "$${path}" -c 'select 1' # until it answers: start the server, or correct ${path}`;
  // these name the command, or the log, themselves
  if (code === "DATA_FOLDER_UNUSABLE") return /Run: (.*)$/.exec(message)?.[1] ?? START;
  return /its log is (\S+);/.exec(message)?.[1]?.replace(/^/, "tail ") ?? START;
}

async function checkVersion(client: Client, kind: Logins["kind"]): Promise<Finding> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
  );
  const { number = 0, version = "?" } = rows[0] ?? {};
  return checkPostgres(number, version, kind);
}

/** `number` as `server_version_num` has it: 150004 is 15.4. */
export function checkPostgres(number: number, version: string, kind: Logins["kind"]): Finding {
  if (number >= LEAST_POSTGRES * 10_000) return sound("database", `PostgreSQL ${version}, ${kind}`);
  const says = `This is PostgreSQL ${version}; the hub needs ${LEAST_POSTGRES} or later.`;
  return broken("database", says, "pg_upgrade --help # or DATABASE_URL of a newer server");
}

async function checkRoles({ runtime, owner, kind }: Logins): Promise<Finding> {
  const [mine, owners] = await Promise.all([whoIs(runtime), owner && whoIs(owner)]);
  if (owners && owners.database !== mine.database) {
    const says = "DATABASE_URL and COUNTERSIGN_MIGRATION_URL name different databases: they are two roles on one.";
    return broken("database roles", says, "export COUNTERSIGN_MIGRATION_URL=<DATABASE_URL's database, as its owner>");
  }
  try {
    await checkRuntimeRole(runtime, owners?.role);
    return sound("database roles", `"${mine.role}" owns nothing and is held by row-level security`);
  } catch (error) {
    const { message, details } = toHubError(error);
    const says = message.split("\n")[0] ?? message;
    // each start sets the roles of the embedded server anew
    const commands = kind === "embedded" ? [START] : ((details?.["commands"] ?? []) as string[]);
    return broken("database roles", says, ...commands);
  }
}

async function whoIs(client: Client): Promise<{ role: string; database: string }> {
  const { rows } = await client.query<{ role: string; database: string }>(
    `select current_user::text as role, pg_postmaster_start_time() || ' ' || oid as database
     from pg_database where datname = current_database()`,
  );
  if (!rows[0]) throw new Error("cannot happen: a session without a database");
  return rows[0];
}

const MENDS: Partial<Record<ErrorCode, string>> = {
  MIGRATION_EDITED: "git checkout -- prisma/migrations",
  DATABASE_NEWER: "git pull && npm ci # the version that migrated it",
  DATABASE_DIVERGED: "export DATABASE_URL=<a database that this program made>",
};

async function checkMigrations(client: Client, mayMigrate: boolean): Promise<Finding> {
  const check = "migrations";
  try {
    const { role } = await whoIs(client);
    const isReady = await isSetUp(client, role, { queues: QUEUES }).catch((error: unknown) => {
      if ((error as { code?: string }).code === "42501") return false; // may not read the bookkeeping
      throw error;
    });
    if (isReady) return sound(check, "all are applied, and the role has its rights");
    const start = mayMigrate ? START : `COUNTERSIGN_MIGRATION_URL=<the owner's> ${START}`;
    return broken(check, "The database is not set up for this version of the hub.", start);
  } catch (error) {
    const { code, message, details } = toHubError(error);
    const command = details?.["command"];
    return broken(
      check,
      message.split("\n")[0] ?? message,
      MENDS[code] ?? (typeof command === "string" ? `psql "$COUNTERSIGN_MIGRATION_URL" -c "${command}"` : START),
    );
  }
}

async function checkClock(client: Client): Promise<Finding> {
  const before = Date.now();
  const { rows } = await client.query<{ now: Date }>("select clock_timestamp() as now");
  return compareClocks(rows[0]?.now ?? new Date(0), before, Date.now());
}

/** `database` was read at some moment between `before` and `after` of this machine's clock. */
export function compareClocks(database: Date, before: number, after: number): Finding {
  const apart = Math.max(before - database.getTime(), database.getTime() - after, 0) / 1000;
  if (apart <= CLOCKS_APART) return sound("clock", "the database's and this machine's agree");
  const way = database.getTime() > after ? "ahead of" : "behind";
  return broken(
    "clock",
    `The database's clock is ${Math.round(apart)} s ${way} this machine's: what expires does so at the wrong time.`,
    process.platform === "darwin" ? "sudo sntp -sS time.apple.com" : "sudo timedatectl set-ntp true",
  );
}
