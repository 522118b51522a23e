import pg from "pg";
import type { PolicyReader, PolicyVersion, PolicyWriter } from "../../domain/policy/policy-store.ts";
import { HubError } from "../../errors.ts";
import type { Session } from "./database.ts";

interface Row {
  version: number;
  document: string;
  hash: string;
  created_by: string;
  created_at: Date;
}

const COLUMNS = "version, document, hash, created_by, created_at";

export function policyStore(session: Session): PolicyReader & PolicyWriter {
  return {
    async current() {
      const { rows } = await session.query<Row>(`select ${COLUMNS} from policy_document order by version desc limit 1`);
      if (!rows[0]) throw new HubError("POLICY_FAILED", "This account has no policy document.");
      return policyVersion(rows[0]);
    },

    async version(version) {
      const { rows } = await session.query<Row>(`select ${COLUMNS} from policy_document where version = $1`, [version]);
      return rows[0] && policyVersion(rows[0]);
    },

    async insert({ version, document, hash, createdBy }) {
      try {
        await session.query(
          "insert into policy_document (account_id, version, document, hash, created_by) values (current_setting('app.account_id')::uuid, $1, $2, $3, $4)",
          [version, document, hash, createdBy],
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== "23505") throw error;
        throw new HubError("VERSION_CONFLICT", `The policy was changed meanwhile: version ${version} exists.`, {
          path: "baseVersion",
          cause: error,
        });
      }
    },
  };
}

function policyVersion({ created_by, created_at, ...row }: Row): PolicyVersion {
  return { ...row, createdBy: created_by, createdAt: created_at };
}
