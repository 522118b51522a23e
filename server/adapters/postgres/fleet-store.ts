import pg from "pg";
import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { Dependency, FleetReader, FleetRef, FleetWriter } from "../../domain/fleet/fleet-store.ts";
import { refText } from "../../domain/fleet/references.ts";
import { HubError } from "../../errors.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

interface Row extends Omit<LiveFleetObject, "createdAt" | "updatedAt" | "updatedBy"> {
  created_at: Date;
  updated_at: Date;
  updated_by: string;
}

const COLUMNS = "kind, name, version, spec, labels, annotations, owner, created_at, updated_at, updated_by";
/** Those of `columns(refs)`. */
const AMONG = "(kind, name) in (select * from unnest($1::text[], $2::text[]))";
/** What is to be written, from one JSON parameter. */
const WRITES = `jsonb_to_recordset($1) as o(kind text, name text, spec jsonb, labels jsonb, annotations jsonb, owner text,
  "updatedBy" uuid, version integer)`;
/** What `on delete restrict` answers with: 23001 from PostgreSQL 18 on, 23503 before. */
const REFERRED_TO = ["23001", "23503"];
const FOREIGN_KEY = "23503";
const UNIQUE = "23505";

export function fleetStore(session: Session): FleetReader & FleetWriter {
  const one = async (text: string, values: readonly unknown[]): Promise<LiveFleetObject | undefined> => {
    const { rows } = await session.query<Row>(text, values);
    return rows[0] && live(rows[0]);
  };
  return {
    get: ({ kind, name }) => one(`select ${COLUMNS} from fleet_object where kind = $1 and name = $2`, [kind, name]),

    async lock(refs) {
      if (!refs.length) return [];
      // in one order, so that two transactions never wait for each other
      const { rows } = await session.query<Row>(
        `select ${COLUMNS} from fleet_object where ${AMONG} order by kind, name for update`,
        columns(refs),
      );
      return rows.map(live);
    },

    async find(refs) {
      if (!refs.length) return [];
      const { rows } = await session.query<Row>(
        `select ${COLUMNS} from fleet_object where ${AMONG} order by kind, name`,
        columns(refs),
      );
      return rows.map(live);
    },

    async hold(refs) {
      // in one order, so that two transactions never wait for each other
      if (refs.length)
        await session.query(`select from fleet_object where ${AMONG} order by kind, name for share`, columns(refs));
    },

    async holdDependencies() {
      await session.query(
        "select pg_advisory_xact_lock(hashtextextended('fleet dependencies ' || current_setting('app.account_id'), 0))",
      );
    },

    async list(filter, { limit, cursor }) {
      const after = decodeCursor(cursor, ["string", "string"]);
      const { rows } = await session.query<Row>(
        `select ${COLUMNS} from fleet_object
         where ($1::text is null or kind = $1) and ($2::jsonb is null or labels @> $2) and ($3::text is null or owner = $3)
           and ($4::text is null or (kind, name) > ($4, $5))
         order by kind, name limit $6`,
        [
          filter.kind ?? null,
          filter.labels ? JSON.stringify(filter.labels) : null,
          filter.owner ?? null,
          after?.[0] ?? null,
          after?.[1] ?? null,
          limit + 1,
        ],
      );
      const items = rows.slice(0, limit).map(live);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.kind, last.name]) } : { items };
    },

    async owned(owner) {
      const { rows } = await session.query<Row>(
        `select ${COLUMNS} from fleet_object where owner = $1 order by kind, name`,
        [owner],
      );
      return rows.map(live);
    },

    async referrers(refs) {
      if (!refs.length) return [];
      const { rows } = await session.query<{ from: FleetRef; to: FleetRef }>(
        `select json_build_object('kind', from_kind, 'name', from_name) as "from",
           json_build_object('kind', to_kind, 'name', to_name) as "to"
         from fleet_reference
         where (to_kind, to_name) in (select * from unnest($1::text[], $2::text[]))
           and (from_kind, from_name) <> (to_kind, to_name)
         order by from_kind, from_name, to_kind, to_name`,
        columns(refs),
      );
      return rows;
    },

    async dependencies(modules) {
      const { rows } = await session.query<Dependency>(
        `with recursive needed(name) as (
           select unnest($1::text[])
           union
           select r.to_name from needed n join fleet_reference r on (r.from_kind, r.from_name, r.to_kind) = ('Module', n.name, 'Module')
         )
         select from_name as "from", to_name as "to" from fleet_reference
         where from_kind = 'Module' and to_kind = 'Module' and from_name in (select name from needed) order by 1, 2`,
        [modules],
      );
      return rows;
    },

    async insert(objects) {
      try {
        const { rows } = await session.query<Row>(
          `insert into fleet_object (account_id, kind, name, version, spec, labels, annotations, owner, updated_by)
           select current_setting('app.account_id')::uuid, o.kind, o.name, 1, o.spec, o.labels, o.annotations, o.owner, o."updatedBy"
           from ${WRITES} order by o.kind, o.name returning ${COLUMNS}`,
          [JSON.stringify(objects)],
        );
        return inOrder(objects, rows);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE) throw error;
        throw new HubError("ALREADY_EXISTS", `${named(error, objects)} was made by somebody else meanwhile.`, {
          path: "object.name",
          cause: error,
        });
      }
    },

    async update(objects) {
      const { rows } = await session.query<Row>(
        `update fleet_object f
         set version = f.version + 1, spec = o.spec, labels = o.labels, annotations = o.annotations, owner = o.owner,
           updated_by = o."updatedBy", updated_at = now()
         from ${WRITES} where f.kind = o.kind and f.name = o.name and f.version = o.version
         returning ${COLUMNS.replaceAll(/\w+/g, "f.$&")}`,
        [JSON.stringify(objects)],
      );
      const written = new Set(rows.map(refText));
      const moved = objects.find((object) => !written.has(refText(object)));
      if (!moved) return inOrder(objects, rows);
      throw new HubError("VERSION_CONFLICT", `${refText(moved)} was changed by somebody else meanwhile.`, {
        path: "expectedVersion",
      });
    },

    async remove(refs) {
      try {
        // what goes away together may refer to each other
        await session.query(
          "delete from fleet_reference where (from_kind, from_name) in (select * from unnest($1::text[], $2::text[]))",
          columns(refs),
        );
        await session.query(`delete from fleet_object where ${AMONG}`, columns(refs));
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || !REFERRED_TO.includes(error.code ?? "")) throw error;
        throw new HubError("IN_USE", `${named(error, refs)} is referred to by another object.`, {
          path: "name",
          cause: error,
        });
      }
    },

    async setReferences(objects) {
      const from = objects.map((object) => object.from);
      const pairs = objects.flatMap((object) => object.to.map((to) => ({ from: object.from, to })));
      const ends = [...columns(pairs.map((pair) => pair.from)), ...columns(pairs.map((pair) => pair.to))];
      await session.query(
        `delete from fleet_reference
         where (from_kind, from_name) in (select * from unnest($1::text[], $2::text[]))
           and (from_kind, from_name, to_kind, to_name) not in (select * from unnest($3::text[], $4::text[], $5::text[], $6::text[]))`,
        [...columns(from), ...ends],
      );
      if (!pairs.length) return;
      try {
        await session.query(
          `insert into fleet_reference (account_id, from_kind, from_name, to_kind, to_name)
           select distinct current_setting('app.account_id')::uuid, r.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as r
           on conflict do nothing`,
          ends,
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== FOREIGN_KEY) throw error;
        throw new HubError("REFERENCE_MISSING", "Something that an object refers to was deleted meanwhile.", {
          path: "object.spec",
          cause: error,
        });
      }
    },

    async disown(owner, by) {
      const { rows } = await session.query<Row>(
        `update fleet_object set owner = null, version = version + 1, updated_by = $2, updated_at = now()
         where owner = $1 returning ${COLUMNS}`,
        [owner, by],
      );
      return rows.map(live);
    },
  };
}

const columns = (refs: readonly FleetRef[]) => [refs.map((r) => r.kind), refs.map((r) => r.name)] as const;

function live({ created_at, updated_at, updated_by, ...row }: Row): LiveFleetObject {
  return { ...row, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString(), updatedBy: updated_by };
}

function inOrder(objects: readonly FleetRef[], rows: readonly Row[]): LiveFleetObject[] {
  const written = new Map(rows.map((row) => [refText(row), live(row)]));
  return objects.flatMap((object) => written.get(refText(object)) ?? []);
}

/** Which of these a violated constraint is about: PostgreSQL tells the key in the error's detail. */
function named({ detail = "" }: pg.DatabaseError, refs: readonly FleetRef[]): string {
  const found = refs.find(({ kind, name }) => detail.includes(`, ${kind}, ${name})`)) ?? refs[0];
  return found ? refText(found) : "An object";
}
