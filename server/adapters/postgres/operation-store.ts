import pg from "pg";
import type {
  Operation,
  OperationReader,
  OperationState,
  OperationWriter,
} from "../../domain/operations/operation-store.ts";
import { type ErrorCode, HubError } from "../../errors.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Session } from "./database.ts";

export interface OperationJob {
  readonly accountId: string;
  readonly operationId: string;
}

/** Sends the job that advances an operation, with the session's transaction: if that rolls back, there is none. */
export interface OperationJobs {
  advance(session: Session, job: OperationJob, at?: Date): Promise<void>;
}

export interface OperationRow {
  id: string;
  kind: string;
  subject: string;
  action: string;
  requester_id: string;
  trace_id: string | null;
  state: OperationState;
  steps_done: number;
  steps_total: number;
  sentence: string;
  error_code: ErrorCode | null;
  error_message: string | null;
  error_details: unknown;
  fence: number;
  deadline: Date;
  created_at: Date;
  ended_at: Date | null;
}

const UNIQUE = "23505";
export const OPERATION_COLUMNS = `o.id, o.kind, o.subject, o.action, o.requester_id, o.trace_id, o.state, o.steps_done, o.steps_total,
  o.sentence, o.error_code, o.error_message, o.error_details, o.fence, o.deadline, o.created_at, o.ended_at`;
/** A call has one time, at which it began; the work that it ends took longer. */
const END = "greatest($3, clock_timestamp())";
const ROW = `select ${OPERATION_COLUMNS} from operation o`;

export function operationReader(session: Session): OperationReader {
  return {
    async find(id) {
      const { rows } = await session.query<OperationRow>(`${ROW} where o.id = $1`, [id]);
      return rows[0] && operationOf(rows[0]);
    },

    async list({ requesterId }, { limit, cursor }) {
      const before = decodeCursor(cursor, ["uuid"])?.[0];
      const { rows } = await session.query<OperationRow>(
        `${ROW} where ($1::uuid is null or o.requester_id = $1) and ($2::uuid is null or o.id < $2) order by o.id desc limit $3`,
        [requesterId ?? null, before ?? null, limit + 1],
      );
      const items = rows.slice(0, limit).map(operationOf);
      const last = items.at(-1);
      return rows.length > limit && last ? { items, next: encodeCursor([last.id]) } : { items };
    },

    cursorAfter: (id) => encodeCursor([id]),
  };
}

export function operationStore(
  session: Session,
  accountId: string,
  jobs: OperationJobs,
): OperationReader & OperationWriter {
  const changes = async (text: string, values: readonly unknown[]): Promise<boolean> => {
    const { rowCount } = await session.query(
      `update operation set ${text}, updated_at = $3 where id = $1 and fence = $2 and state = 'working'`,
      values,
    );
    return rowCount === 1;
  };
  return {
    ...operationReader(session),

    async working(kind, subject) {
      const { rows } = await session.query<OperationRow>(
        `${ROW} where o.kind = $1 and o.subject = $2 and o.state = 'working' for update`,
        [kind, subject],
      );
      return rows[0] && operationOf(rows[0]);
    },

    async start(operation) {
      const { id, kind, subject, action, requesterId, traceId, progress, deadline, createdAt } = operation;
      try {
        await session.query(
          `insert into operation (account_id, id, kind, subject, action, requester_id, trace_id, state, steps_done, steps_total,
             sentence, deadline, created_at, updated_at)
           values (current_setting('app.account_id')::uuid, $1, $2, $3, $4, $5, $6, 'working', $7, $8, $9, $10, $11, $11)`,
          [
            id,
            kind,
            subject,
            action,
            requesterId,
            traceId ?? null,
            progress.done,
            progress.total,
            progress.sentence,
            deadline,
            createdAt,
          ],
        );
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE) throw error;
        throw new HubError("CONFLICT", "Another call began the same work at this moment: look at that one.", {
          cause: error,
        });
      }
      await jobs.advance(session, { accountId, operationId: id });
    },

    async again(id, at) {
      const { rowCount } = await session.query("select from operation where id = $1 and state = 'working'", [id]);
      if (rowCount === 1) await jobs.advance(session, { accountId, operationId: id }, at);
      return rowCount === 1;
    },

    async claim(id, at) {
      const { rows } = await session.query<OperationRow>(
        `update operation o set fence = o.fence + 1, updated_at = $2 where o.id = $1 and o.state = 'working'
         returning ${OPERATION_COLUMNS}`,
        [id, at],
      );
      return rows[0] && operationOf(rows[0]);
    },

    async holds(id, fence) {
      const { rows } = await session.query(
        "select from operation where id = $1 and fence = $2 and state = 'working' for update",
        [id, fence],
      );
      return rows.length === 1;
    },

    advance: (id, fence, { done, total, sentence }, at) =>
      changes("steps_done = $4, steps_total = $5, sentence = $6", [id, fence, at, done, total, sentence]),

    complete: (id, fence, sentence, at) =>
      changes(`state = 'completed', steps_done = steps_total, sentence = $4, ended_at = ${END}`, [
        id,
        fence,
        at,
        sentence,
      ]),

    async untold(id, fence, before, at) {
      const { rows } = await session.query<OperationRow>(
        `update operation o set told_at = $4 where o.id = $1 and o.fence = $2 and o.state = 'working'
           and (o.told_at is null or o.told_at <= $3)
         returning ${OPERATION_COLUMNS}`,
        [id, fence, before, at],
      );
      return rows[0] && operationOf(rows[0]);
    },

    async cancel(id, at) {
      const { rowCount } = await session.query(
        `update operation set state = 'cancelled', sentence = 'Cancelled.', ended_at = $2, updated_at = $2
         where id = $1 and state = 'working'`,
        [id, at],
      );
      return rowCount === 1;
    },

    fail: (id, fence, { code, message, details }, at) =>
      changes(`state = 'failed', error_code = $4, error_message = $5, error_details = $6, ended_at = ${END}`, [
        id,
        fence,
        at,
        code,
        message,
        details === undefined ? null : JSON.stringify(details),
      ]),
  };
}

export function operationOf(row: OperationRow): Operation {
  const { id, kind, subject, action, state, fence, deadline } = row;
  return {
    id,
    kind,
    subject,
    action,
    state,
    fence,
    deadline,
    requesterId: row.requester_id,
    ...(row.trace_id !== null && { traceId: row.trace_id }),
    progress: { done: row.steps_done, total: row.steps_total, sentence: row.sentence },
    ...(row.error_code !== null && {
      error: {
        code: row.error_code,
        message: row.error_message ?? "",
        ...(row.error_details !== null && { details: row.error_details }),
      },
    }),
    createdAt: row.created_at,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}
