import pg from "pg";
import type { LiveFleetObject } from "../../../contracts/fleet/object.ts";
import type { Dependency, FleetReader, FleetRef, FleetWrite, FleetWriter } from "../../domain/fleet/fleet-store.ts";
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

    lock: ({ kind, name }) =>
      one(`select ${COLUMNS} from fleet_object where kind = $1 and name = $2 for update`, [kind, name]),

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

    async referrers({ kind, name }) {
      const { rows } = await session.query<FleetRef>(
        "select from_kind as kind, from_name as name from fleet_reference where to_kind = $1 and to_name = $2 and (from_kind, from_name) <> ($1, $2) order by 1, 2",
        [kind, name],
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

    async insert(object) {
      try {
        const inserted = await one(
          `insert into fleet_object (account_id, kind, name, version, spec, labels, annotations, owner, updated_by)
           values (current_setting('app.account_id')::uuid, $1, $2, 1, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
          parameters(object),
        );
        return written(inserted);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE) throw error;
        throw new HubError("ALREADY_EXISTS", `${refText(object)} was made by somebody else meanwhile.`, {
          path: "object.name",
          cause: error,
        });
      }
    },

    async update(object, version) {
      const updated = await one(
        `update fleet_object set version = version + 1, spec = $3, labels = $4, annotations = $5, owner = $6, updated_by = $7, updated_at = now()
         where kind = $1 and name = $2 and version = $8 returning ${COLUMNS}`,
        [...parameters(object), version],
      );
      if (updated) return updated;
      throw new HubError("VERSION_CONFLICT", `${refText(object)} was changed by somebody else meanwhile.`, {
        path: "expectedVersion",
      });
    },

    async remove({ kind, name }) {
      try {
        await session.query("delete from fleet_object where kind = $1 and name = $2", [kind, name]);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || !REFERRED_TO.includes(error.code ?? "")) throw error;
        throw new HubError("IN_USE", `${refText({ kind, name })} is referred to by another object.`, {
          path: "name",
          cause: error,
        });
      }
    },

    async setReferences({ kind, name }, to) {
      const values = [kind, name, ...columns(to)];
      await session.query(
        `delete from fleet_reference where from_kind = $1 and from_name = $2
           and (to_kind, to_name) not in (select * from unnest($3::text[], $4::text[]))`,
        values,
      );
      if (!to.length) return;
      try {
        await session.query(
          `insert into fleet_reference (account_id, from_kind, from_name, to_kind, to_name)
           select distinct current_setting('app.account_id')::uuid, $1, $2, k, n from unnest($3::text[], $4::text[]) as t(k, n)
           on conflict do nothing`,
          values,
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== FOREIGN_KEY) throw error;
        throw new HubError(
          "REFERENCE_MISSING",
          `Something that ${refText({ kind, name })} refers to was deleted meanwhile.`,
          { path: "object.spec", cause: error },
        );
      }
    },
  };
}

const columns = (refs: readonly FleetRef[]) => [refs.map((r) => r.kind), refs.map((r) => r.name)] as const;

const parameters = (o: FleetWrite) => [
  o.kind,
  o.name,
  JSON.stringify(o.spec),
  JSON.stringify(o.labels),
  JSON.stringify(o.annotations),
  o.owner,
  o.updatedBy,
];

function live({ created_at, updated_at, updated_by, ...row }: Row): LiveFleetObject {
  return { ...row, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString(), updatedBy: updated_by };
}

function written(object: LiveFleetObject | undefined): LiveFleetObject {
  if (!object) throw new TypeError("an insert without a row");
  return object;
}
