import pg from "pg";

/** Table -> what the runtime role may do there: `select`, `insert`, `update (state, version)`, ... */
export type Privileges = Readonly<Record<string, readonly string[]>>;

/** What a tenant table gives to the runtime role where nothing else is said. */
const TENANT_TABLE = ["select", "insert", "update", "delete"] as const;

/** The hub's own bookkeeping: the runtime role reads it to see that the database fits the program. */
const BOOKKEEPING: Privileges = { _prisma_migrations: ["select"], hub_setup: ["select"] };

interface Relation {
  name: string;
  /** Under forced row-level security. */
  tenant: boolean;
  sequence: boolean;
}

const RELATIONS = `
  select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as tenant, c.relkind = 'S' as sequence
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
    and pg_has_role(c.relowner, 'USAGE')
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
  order by c.relname`;

const ROUTINES = `
  select p.oid::regprocedure::text as name, p.proname like 'hub\\_%' as callable
  from pg_proc p
  where p.pronamespace = 'public'::regnamespace and pg_has_role(p.proowner, 'USAGE')
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by 1`;

/**
 * Gives the runtime role what `privileges` says, and nothing else: everything is revoked first, from it and from
 * PUBLIC, in one transaction. Tables under forced row-level security that are not named get select, insert, update
 * and delete; other tables nothing; functions `hub_*` may be executed. `owner` is signed in as the tables' owner and
 * holds the migration lock. Throws where `privileges` names a table that is not there.
 */
export async function applyGrants(owner: pg.ClientBase, runtimeRole: string, privileges: Privileges): Promise<void> {
  const relations = (await owner.query<Relation>(RELATIONS)).rows;
  const routines = (await owner.query<{ name: string; callable: boolean }>(ROUTINES)).rows;
  const known = new Set(relations.map((relation) => relation.name));
  const unknown = Object.keys(privileges).filter((table) => !known.has(table));
  if (unknown.length) throw new Error(`privileges name tables that are not there: ${unknown.join(", ")}`);

  const role = pg.escapeIdentifier(runtimeRole);
  const statements = [
    "revoke create on schema public from public",
    `grant usage on schema public to ${role}`,
    ...relations.flatMap((relation) => grantsOn(relation, role, { ...privileges, ...BOOKKEEPING })),
    ...routines.flatMap(({ name, callable }) => [
      `revoke all on routine ${name} from public, ${role}`,
      ...(callable ? [`grant execute on routine ${name} to ${role}`] : []),
    ]),
  ];
  await owner.query(statements.join(";\n")); // without parameters: one round trip, one transaction
}

function grantsOn({ name, tenant, sequence }: Relation, role: string, privileges: Privileges): string[] {
  const kind = sequence ? "sequence" : "table";
  const target = `${kind} ${pg.escapeIdentifier(name)}`;
  const granted = sequence ? ["usage"] : (privileges[name] ?? (tenant ? TENANT_TABLE : []));
  return [
    `revoke all on ${target} from public, ${role}`,
    ...(granted.length ? [`grant ${granted.join(", ")} on ${target} to ${role}`] : []),
  ];
}
