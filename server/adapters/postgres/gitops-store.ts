import pg from "pg";
import type { GitopsReader, GitopsWriter } from "../../domain/gitops/gitops-store.ts";
import { HubError } from "../../errors.ts";
import type { Session } from "./database.ts";
import { gitopsReader } from "./gitops-reader.ts";
import {
  PROPOSALS,
  type ProposalRow,
  proposalOf,
  REPOSITORIES,
  type RepositoryRow,
  repositoryOf,
} from "./gitops-rows.ts";

const ACCOUNT = "current_setting('app.account_id')::uuid";
const UNIQUE = "23505";

export function gitopsStore(session: Session): GitopsReader & GitopsWriter {
  return {
    ...gitopsReader(session),

    async addRepository({ id, name, url, branch, path, credential, createdBy, createdAt }) {
      try {
        await session.query(
          `insert into gitops_repository (account_id, id, name, url, branch, path, created_by, created_at, credential_id)
           values (${ACCOUNT}, $1, $2, $3, $4, $5, $6, $7, $8)`,
          [id, name, url, branch, path, createdBy, createdAt, credential?.id ?? null],
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE) throw error;
        throw new HubError("ALREADY_EXISTS", `A repository ${name} was registered by somebody else meanwhile.`, {
          path: "name",
          cause: error,
        });
      }
    },

    async lockRepository(id) {
      const { rows } = await session.query<RepositoryRow>(
        `${REPOSITORIES} where r.id = $1 and r.removed_at is null for update`,
        [id],
      );
      return rows[0] && repositoryOf(rows[0]);
    },

    async removeRepository(id, at) {
      await session.query("delete from gitops_desired_state where repository_id = $1", [id]);
      await session.query("delete from gitops_applied where repository_id = $1", [id]);
      await session.query("update gitops_repository set removed_at = $2, credential_id = null where id = $1", [id, at]);
    },

    async setHead(id, head, objects, at) {
      await session.query("update gitops_repository set head = $2, synced_at = $3 where id = $1", [
        id,
        JSON.stringify(head),
        at,
      ]);
      await session.query(
        `insert into gitops_desired_state (account_id, repository_id, objects) values (${ACCOUNT}, $1, $2)
         on conflict (account_id, repository_id) do update set objects = excluded.objects`,
        [id, JSON.stringify(objects.map(({ places: _, ...object }) => object))],
      );
    },

    async addRun({ id, repositoryId, acceptsRewrite }) {
      await session.query(
        `insert into gitops_sync_run (account_id, id, repository_id, accepts_rewrite) values (${ACCOUNT}, $1, $2, $3)`,
        [id, repositoryId, acceptsRewrite],
      );
    },

    async finishRun(id, { commit, previousCommit, counts, proposalIds, problems }) {
      await session.query(
        "update gitops_sync_run set commit = $2, previous_commit = $3, counts = $4, problems = $5, proposal_ids = $6 where id = $1",
        [
          id,
          JSON.stringify(commit),
          previousCommit ?? null,
          JSON.stringify(counts),
          JSON.stringify(problems),
          proposalIds,
        ],
      );
    },

    async setApplied(repositoryId, objects, at) {
      if (!objects.length) return;
      await session.query(
        `insert into gitops_applied (account_id, repository_id, kind, name, state, version, object_born, commit, applied_at)
         select ${ACCOUNT}, $1, o.kind, o.name, o.state, o.version, o.born, o.commit, $3
         from jsonb_to_recordset($2) as o(kind text, name text, state jsonb, version integer, born timestamptz, commit text)
         on conflict (account_id, repository_id, kind, name) do update
         set state = excluded.state, version = excluded.version, object_born = excluded.object_born,
           commit = excluded.commit, applied_at = excluded.applied_at`,
        [repositoryId, JSON.stringify(objects), at],
      );
    },

    async forgetApplied(repositoryId, refs) {
      if (!refs.length) return;
      await session.query(
        `delete from gitops_applied
         where repository_id = $1 and (kind, name) in (select * from unnest($2::text[], $3::text[]))`,
        [repositoryId, refs.map(({ kind }) => kind), refs.map(({ name }) => name)],
      );
    },

    async lockProposal(id) {
      const { rows } = await session.query<ProposalRow>(`${PROPOSALS} where p.id = $1 for update of p`, [id]);
      if (rows[0]) return proposalOf(rows[0]);
      throw new HubError("NOT_FOUND", "There is no such proposal.", { path: "proposalId" });
    },

    async lockOpenProposals(repositoryId) {
      const { rows } = await session.query<ProposalRow>(
        `${PROPOSALS} where p.repository_id = $1 and p.state = 'open' order by p.id for update of p`,
        [repositoryId],
      );
      return rows.map(proposalOf);
    },

    async lastRejected(repositoryId, riskClass) {
      const { rows } = await session.query<ProposalRow>(
        `${PROPOSALS} where p.repository_id = $1 and p.risk_class = $2 and p.state = 'rejected' order by p.id desc limit 1`,
        [repositoryId, riskClass],
      );
      return rows[0] && proposalOf(rows[0]);
    },

    async addProposal({ id, repositoryId, runId, commit, riskClass, digest, salt, items, createdAt }) {
      await session.query(
        `insert into gitops_proposal (account_id, id, repository_id, run_id, commit, risk_class, state, digest, salt, items, created_at)
         values (${ACCOUNT}, $1, $2, $3, $4, $5, 'open', $6, $7, $8, $9)`,
        [id, repositoryId, runId, JSON.stringify(commit), riskClass, digest, salt, items.length, createdAt],
      );
      await session.query(
        `insert into gitops_proposal_item (account_id, proposal_id, ordinal, action, kind, name, base_version, base_born, base_owner,
           before, after, file, line)
         select ${ACCOUNT}, $1, i.ordinal, i.action, i.kind, i.name, (i.base->>'version')::integer, (i.base->>'born')::timestamptz,
           i.base->>'owner', i.before, i.after, i.file, i.line
         from jsonb_to_recordset($2) as i(ordinal integer, action text, kind text, name text, base jsonb, before jsonb, after jsonb,
           file text, line integer)`,
        [id, JSON.stringify(items.map((item, ordinal) => ({ ...item, ordinal })))],
      );
    },

    async closeProposal(id, { state, at, by, reason, forced }) {
      await session.query(
        `update gitops_proposal set state = $2, closed_at = $3, closed_by = $4, reason = $5, forced = $6
         where id = $1 and state = 'open'`,
        [id, state, at, by, reason ?? null, forced ?? false],
      );
    },

    async setAppliedVersions(proposalId, objects) {
      await session.query(
        `update gitops_proposal_item i set applied_version = o.version
         from jsonb_to_recordset($2) as o(kind text, name text, version integer)
         where i.proposal_id = $1 and i.kind = o.kind and i.name = o.name`,
        [proposalId, JSON.stringify(objects)],
      );
    },
  };
}
