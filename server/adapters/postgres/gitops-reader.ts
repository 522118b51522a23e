import type { DeclaredObject } from "../../domain/gitops/desired-state.ts";
import type { AppliedObject, GitopsReader } from "../../domain/gitops/gitops-store.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";
import {
  type ChangeRow,
  changeOf,
  type ItemRow,
  itemOf,
  PROPOSALS,
  type ProposalRow,
  proposalOf,
  REPOSITORIES,
  type RepositoryRow,
  RUNS,
  type RunRow,
  repositoryOf,
  runOf,
  STANDINGS,
  STATE,
  type StandingRow,
  standingOf,
} from "./gitops-rows.ts";

export function gitopsReader(session: Session): GitopsReader {
  const repositoryWhere = async (condition: string, value: string) => {
    const { rows } = await session.query<RepositoryRow>(`${REPOSITORIES} where ${condition} and r.removed_at is null`, [
      value,
    ]);
    return rows[0] && repositoryOf(rows[0]);
  };
  return {
    repository: (name) => repositoryWhere("r.name = $1", name),
    repositoryById: (id) => repositoryWhere("r.id = $1", id),

    async standing(name) {
      const { rows } = await session.query<StandingRow>(`${STANDINGS} where r.name = $1 and r.removed_at is null`, [
        name,
      ]);
      return rows[0] && standingOf(rows[0]);
    },

    async run(id) {
      const { rows } = await session.query<RunRow>(`${RUNS} where s.id = $1`, [id]);
      return rows[0] && runOf(rows[0]);
    },

    async proposal(id) {
      const { rows } = await session.query<ProposalRow>(`${PROPOSALS} where p.id = $1`, [id]);
      return rows[0] && proposalOf(rows[0]);
    },

    async repositories({ limit, cursor }) {
      const after = decodeCursor(cursor, ["string"])?.[0];
      const { rows } = await session.query<StandingRow>(
        `${STANDINGS} where r.removed_at is null and ($1::text is null or r.name > $1) order by r.name limit $2`,
        [after ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(standingOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.name]) } : { items };
    },

    async desired(repositoryId) {
      const { rows } = await session.query<{ objects: DeclaredObject[] }>(
        "select objects from gitops_desired_state where repository_id = $1",
        [repositoryId],
      );
      return rows[0]?.objects ?? [];
    },

    async applied(repositoryId) {
      const { rows } = await session.query<Omit<AppliedObject, "born"> & { born: Date }>(
        `select kind, name, state, version, object_born as born, commit from gitops_applied where repository_id = $1
         order by kind, name`,
        [repositoryId],
      );
      return rows.map(({ born, ...row }) => ({ ...row, born: born.toISOString() }));
    },

    async runs({ repository }, { limit, cursor }) {
      const before = decodeCursor(cursor, ["uuid"])?.[0];
      const { rows } = await session.query<RunRow>(
        `${RUNS} where ($1::text is null or r.name = $1) and ($2::uuid is null or s.id < $2) order by s.id desc limit $3`,
        [repository ?? null, before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(runOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    async proposals({ repository, state, ids }, { limit, cursor }) {
      const before = decodeCursor(cursor, ["uuid"])?.[0];
      const { rows } = await session.query<ProposalRow>(
        `${PROPOSALS} where ($1::text is null or r.name = $1) and ($2::text is null or ${STATE} = $2)
           and ($3::uuid[] is null or p.id = any($3)) and ($4::uuid is null or p.id < $4) order by p.id desc limit $5`,
        [repository ?? null, state ?? null, ids ?? null, before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(proposalOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    async items(proposalId, part) {
      const { rows } = await session.query<ItemRow>(
        `select action, kind, name, base_version, base_born, base_owner, before, after, file, line, applied_version
         from gitops_proposal_item where proposal_id = $1 and ordinal >= $2 order by ordinal limit $3`,
        [proposalId, part?.from ?? 0, part?.limit ?? null],
      );
      return rows.map(itemOf);
    },

    async lastChanges(refs) {
      if (!refs.length) return [];
      const { rows } = await session.query<ChangeRow>(
        `select o.kind, o.name, coalesce(r.principal_id::text, e.data->>'by') as by, p.name as by_name, coalesce(r.at, e.at) as at,
           (e.data->>'version')::integer as version, e.type, r.call_id
         from unnest($1::text[], $2::text[]) as o(kind, name)
         cross join lateral (
           select e.data, e.at, e.type from event e where e.subject = 'fleet/' || o.kind || '/' || o.name
           order by e.position desc limit 1) e
         left join receipt r on r.call_id = (e.data->>'call')::uuid and r.phase = 'outcome'
         left join principal p on p.id = coalesce(r.principal_id, (e.data->>'by')::uuid)`,
        [refs.map(({ kind }) => kind), refs.map(({ name }) => name)],
      );
      return rows.map(changeOf);
    },
  };
}
