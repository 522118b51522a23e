/**
 * What the hub's everyday role must not be able to do. Row-level security binds neither superusers nor roles with
 * BYPASSRLS, and an owner can lift it: with such a role one mistake in a query would show one tenant to another.
 */
import pg from "pg";
import { HubError } from "../../errors.ts";

interface RoleFacts {
  role: string;
  database: string;
  superuser: boolean;
  bypasses_rls: boolean;
  makes_roles: boolean;
  replicates: boolean;
  owns_database: boolean;
  /** Of the hub's own tables, whoever that is; null before the first migration. */
  tables_owner: string | null;
  owns_objects: boolean;
  /** Roles that it could become and that are any of the above. */
  dangerous_roles: string[];
  existing_roles: string[];
}

// pg_has_role(..., 'MEMBER') counts what it could SET ROLE to as well as what it inherits
const FACTS = `
  with me as (select * from pg_roles where rolname = current_user),
  ours as (
    select relowner as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'pgboss') and c.relkind in ('r', 'p', 'v', 'm', 'S')
    union select proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('public', 'pgboss')
    union select nspowner from pg_namespace where nspname = 'pgboss')
  select me.rolname as role, current_database() as database,
    me.rolsuper as superuser, me.rolbypassrls as bypasses_rls, me.rolcreaterole as makes_roles,
    me.rolreplication as replicates,
    (select d.datdba = me.oid from pg_database d where d.datname = current_database()) as owns_database,
    (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass('public._prisma_migrations')) as tables_owner,
    exists (select from ours where owner = me.oid) as owns_objects,
    array(select r.rolname::text from pg_roles r where r.oid <> me.oid and not me.rolsuper
      and pg_has_role(me.oid, r.oid, 'MEMBER')
      and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication or r.oid in (select owner from ours)
        or r.rolname = $1 or r.oid = (select datdba from pg_database where datname = current_database())
        or r.rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
      order by 1) as dangerous_roles,
    array(select rolname::text from pg_roles where rolname in ('countersign_owner', 'countersign_hub')) as existing_roles
  from me`;

/**
 * Checks the role that `client` is signed in as. `ownerRole` is the role of the migration URL, where there is one.
 * Throws DATABASE_ROLE_UNSAFE; its message holds the commands that make two roles as they should be.
 */
export async function checkRuntimeRole(client: pg.Client, ownerRole?: string): Promise<void> {
  const facts = await roleFacts(client, ownerRole);
  const faults = faultsOf(facts, ownerRole);
  if (!faults.length) return;
  throw new HubError(
    "DATABASE_ROLE_UNSAFE",
    `The hub does not run as the database role "${facts.role}": it ${faults.join(", it ")}. Tenants are kept apart by row-level security, which such a role can get around.\n\n${remedy(facts, client)}`,
    { details: { role: facts.role, faults, commands: roleCommands(facts) } },
  );
}

/** The commands and the two URLs, for a database that the given client is connected to. */
export async function explainRoles(client: pg.Client): Promise<string> {
  return remedy(await roleFacts(client), client);
}

async function roleFacts(client: pg.Client, ownerRole?: string): Promise<RoleFacts> {
  const { rows } = await client.query<RoleFacts>(FACTS, [ownerRole ?? ""]);
  if (!rows[0]) throw new Error("a session without a role");
  return rows[0];
}

function faultsOf(facts: RoleFacts, ownerRole: string | undefined): string[] {
  const faults: [boolean, string][] = [
    [facts.superuser, "is a superuser"],
    [facts.bypasses_rls, "has BYPASSRLS"],
    [facts.makes_roles, "has CREATEROLE"],
    [facts.replicates, "has REPLICATION"],
    [facts.role === ownerRole, "is also the role of COUNTERSIGN_MIGRATION_URL"],
    [facts.owns_objects, "owns tables of the hub"],
    [facts.owns_database, "owns the database"],
  ];
  const members = facts.dangerous_roles.map((name) => `is a member of "${name}"`);
  return [...faults.flatMap(([holds, words]) => (holds ? [words] : [])), ...members];
}

/** Who should be what: an owner that is there already stays the owner. */
function chooseRoles(facts: RoleFacts): { owner: string; runtime: string } {
  const owner = facts.tables_owner ?? "countersign_owner";
  return { owner, runtime: owner === "countersign_hub" ? "countersign_runtime" : "countersign_hub" };
}

/** For psql, as an administrator. `\password` asks, so that no password is written anywhere. */
function roleCommands(facts: RoleFacts): string[] {
  const { owner, runtime } = chooseRoles(facts);
  const create = (role: string) => [`create role ${quoted(role)} login;`, `\\password ${role}`];
  const narrow = `alter role ${quoted(runtime)} login nosuperuser nobypassrls nocreaterole noreplication;`;
  const ownerIsThere = facts.tables_owner !== null || facts.existing_roles.includes(owner);
  const runtimeIsThere = facts.existing_roles.includes(runtime);
  const left = facts.role === runtime ? facts.dangerous_roles : [];
  return [
    ...(ownerIsThere ? [] : create(owner)),
    ...(runtimeIsThere ? [narrow] : create(runtime)),
    ...left.map((role) => `revoke ${quoted(role)} from ${quoted(runtime)};`),
    `alter database ${quoted(facts.database)} owner to ${quoted(owner)};`,
    `grant connect on database ${quoted(facts.database)} to ${quoted(runtime)};`,
  ];
}

function remedy(facts: RoleFacts, { host, port }: pg.Client): string {
  const { owner, runtime } = chooseRoles(facts);
  const place = `${host.startsWith("/") ? encodeURIComponent(host) : host}:${port}/${encodeURIComponent(facts.database)}`;
  return [
    `In psql, connected to the database "${facts.database}" as an administrator:`,
    ...roleCommands(facts).map((command) => `  ${command}`),
    "Then start the hub with:",
    `  DATABASE_URL=postgres://${runtime}:<its password>@${place}`,
    `  COUNTERSIGN_MIGRATION_URL=postgres://${owner}:<its password>@${place}`,
  ].join("\n");
}

const quoted = pg.escapeIdentifier;
