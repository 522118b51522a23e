import type {
  ApprovalReader,
  ApprovalRequest,
  ApprovalWriter,
  RequestFilter,
} from "../../domain/approvals/approval-store.ts";
import { HubError } from "../../errors.ts";
import { DECISIONS, type DecisionRow, decisionOf, REQUESTS, type RequestRow, requestOf } from "./approval-rows.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";
import { KEY, type KeyColumns, keyIsLive, keyOf } from "./identity-rows.ts";

export interface ApprovalJob {
  readonly accountId: string;
  readonly requestId: string;
}

/** Sends jobs with the session's transaction: if that rolls back, there is no job. */
export interface ApprovalJobs {
  execute(session: Session, job: ApprovalJob): Promise<void>;
  expire(session: Session, job: ApprovalJob, at: Date): Promise<void>;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export function approvalReader(session: Session): ApprovalReader {
  const find = async (requestId: string): Promise<ApprovalRequest | undefined> => {
    const { rows } = await session.query<RequestRow>(`${REQUESTS} where r.id = $1`, [requestId]);
    return rows[0] && requestOf(rows[0]);
  };
  return {
    find,

    async get(requestId) {
      return (await find(requestId)) ?? unknown();
    },

    async list(filter, { limit, cursor }, now) {
      const [after] = decodeCursor(cursor, ["string"]) ?? [];
      if (after !== undefined && !UUID.test(String(after))) decodeCursor("", ["string"]);
      const { rows } = await session.query<RequestRow>(
        `${REQUESTS} where ($1::text is null or r.action = $1) and ($2::uuid is null or r.requester_id = $2)
           and ($3::text is null or r.id < $3::uuid) and ${stateCondition(filter.state)}
         order by r.id desc limit $4`,
        [
          filter.action ?? null,
          filter.requesterId ?? null,
          after ?? null,
          limit + 1,
          ...(filter.state === undefined ? [] : [filter.state, now]),
        ],
      );
      const items = rows.slice(0, limit).map(requestOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    async decisions(requestId) {
      const { rows } = await session.query<DecisionRow>(`${DECISIONS} where d.request_id = $1 order by d.id`, [
        requestId,
      ]);
      return rows.map(decisionOf);
    },

    async key(keyId) {
      const { rows } = await session.query<KeyColumns>(`${KEY} where key_id = $1`, [keyId]);
      return rows[0] && keyOf(rows[0]);
    },

    async candidates() {
      const { rows } = await session.query<{ person_id: string; roles: string[] }>(
        `select p.person_id, p.roles from principal p
         where p.kind = 'operator'
           and exists (select from person_key k where k.person_id = p.person_id and ${keyIsLive("now()")})
           and not exists (select from ban b where b.principal_id = p.id and b.lifted_at is null
             and (b.until is null or b.until > now()))`,
      );
      return rows.map((row) => ({ personId: row.person_id, roles: row.roles }));
    },
  };
}

export function approvalStore(
  session: Session,
  accountId: string,
  jobs: ApprovalJobs,
): ApprovalReader & ApprovalWriter {
  return {
    ...approvalReader(session),

    async lockRequester(principalId) {
      await session.query("select pg_advisory_xact_lock(hashtextextended('approval_request ' || $1, 0))", [
        `${accountId} ${principalId}`,
      ]);
    },

    async openOf(principalId) {
      const { rows } = await session.query<RequestRow>(
        `${REQUESTS} where r.requester_id = $1 and r.state = 'open' order by r.id for update of r`,
        [principalId],
      );
      return rows.map(requestOf);
    },

    async pendingOf(principalId) {
      const { rows } = await session.query<RequestRow>(
        `${REQUESTS} where r.requester_id = $1 and r.state in ('open', 'approved') order by r.id for update of r`,
        [principalId],
      );
      return rows.map(requestOf);
    },

    async pendingAbout(targetType, targetId) {
      const { rows } = await session.query<RequestRow>(
        `${REQUESTS} where r.target_type = $1 and r.target_id = $2 and r.state in ('open', 'approved') order by r.id for update of r`,
        [targetType, targetId],
      );
      return rows.map(requestOf);
    },

    async insert(request) {
      const { requester, demand, target } = request;
      await session.query(
        `insert into approval_request (account_id, id, state, action, schema_digest,
           requester_id, requester_kind, requester_person_id, owner_person_id, profile,
           statement, statement_digest, preview, preview_digest, held, input_mac,
           demand_kind, demand_people, demand_holding, demand_rules, target_type, target_id, target_version,
           policy_hash, approval_expires_at, execution_expires_at, created_at)
         values ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
           $22, $23, $24, $25, $26)`,
        [
          accountId,
          request.id,
          request.action,
          request.schemaDigest,
          requester.id,
          requester.kind,
          requester.personId ?? null,
          requester.ownerPersonId ?? null,
          request.profile,
          request.statement,
          request.statementDigest,
          request.preview,
          request.previewDigest,
          request.held,
          request.inputMac,
          demand.kind,
          demand.people,
          demand.holding,
          demand.rules,
          target.type,
          target.id,
          target.version ?? null,
          request.policyHash,
          request.approvalExpiresAt,
          request.executionExpiresAt,
          request.createdAt,
        ],
      );
    },

    async lock(requestId) {
      const { rows } = await session.query<RequestRow>(`${REQUESTS} where r.id = $1 for update of r`, [requestId]);
      return rows[0] ? requestOf(rows[0]) : unknown();
    },

    async decide(decision, replaces) {
      const values = [
        decision.principalId,
        decision.decision,
        decision.assurance,
        decision.holding,
        decision.keyId ?? null,
        decision.envelope ?? null,
        decision.envelopeDigest ?? null,
        decision.reason ?? null,
        decision.decidedAt,
      ];
      if (replaces !== undefined) {
        await session.query(
          `update approval_decision set principal_id = $2, decision = $3, assurance = $4, holding = $5, key_id = $6,
             envelope = $7, envelope_digest = $8, reason = $9, decided_at = $10 where id = $1`,
          [replaces, ...values],
        );
        return;
      }
      await session.query(
        `insert into approval_decision (account_id, id, request_id, person_id, principal_id, decision, assurance, holding,
           key_id, envelope, envelope_digest, reason, decided_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        [accountId, decision.id, decision.requestId, decision.personId, ...values],
      );
    },

    async approve(requestId, executionExpiresAt) {
      const { rowCount } = await session.query(
        `update approval_request set state = 'approved', execution_expires_at = $2, version = version + 1
         where id = $1 and state = 'open'`,
        [requestId, executionExpiresAt],
      );
      if (rowCount !== 1) throw new Error(`cannot happen: the locked request ${requestId} is not open`);
    },

    async close(requestId, from, closing) {
      const { rowCount } = await session.query(
        `update approval_request set state = $3, closed_at = $4, held = null, result = $5, result_expires_at = $6,
           error_code = $7, error_message = $8, version = version + 1
         where id = $1 and state = any($2)`,
        [
          requestId,
          from,
          closing.state,
          closing.at,
          closing.result ?? null,
          closing.resultExpiresAt ?? null,
          closing.errorCode ?? null,
          closing.errorMessage ?? null,
        ],
      );
      return rowCount === 1;
    },

    async forgetResult(requestId, now) {
      const { rowCount } = await session.query(
        `update approval_request set result = null, version = version + 1
         where id = $1 and result is not null and result_expires_at <= $2`,
        [requestId, now],
      );
      return rowCount === 1;
    },

    enqueueExecution: (requestId) => jobs.execute(session, { accountId, requestId }),
    enqueueExpiry: (requestId, at) => jobs.expire(session, { accountId, requestId }, at),
  };
}

/** As `stateAt` counts: what is overdue has expired, whether or not a job has written it down. $5 state, $6 now. */
function stateCondition(state: RequestFilter["state"]): string {
  if (state === undefined) return "true";
  const overdue = `(r.state = 'open' and r.approval_expires_at <= $6 or r.state = 'approved' and r.execution_expires_at <= $6)`;
  return state === "expired" ? `(r.state = $5 or ${overdue})` : `(r.state = $5 and not ${overdue})`;
}

function unknown(): never {
  throw new HubError("NOT_FOUND", "There is no such approval request.", { path: "requestId" });
}
