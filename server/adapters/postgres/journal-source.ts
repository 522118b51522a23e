import { HubError } from "../../errors.ts";
import type {
  CommitRecord,
  EntryColumns,
  JournalSource,
  LaneRecord,
  LogRecord,
  ReceiptRecord,
} from "../../journal/journal-source.ts";
import type { Database } from "./database.ts";
import { splitHashes } from "./receipt-store.ts";

interface ColumnsRow {
  call_id: string;
  phase: string;
  action: string;
  principal_id: string | null;
  code: string;
  at: Date;
}

const LANES = 500;
const ENTRIES = 200;

/** The journal of an account, each page in a transaction of its own: a long walk holds nothing back. */
export function journalSource(database: Pick<Database, "read">, accountId: string): JournalSource {
  const query = <R extends object>(text: string, values: readonly unknown[]): Promise<R[]> =>
    database.read(accountId, async (session) => (await session.query<R>(text, values)).rows);
  return {
    async account() {
      const [row] = await query<{ profile: "solo" | "team" }>("select profile from account where id = $1", [accountId]);
      if (row === undefined) throw new HubError("NOT_FOUND", "There is no such account.");
      return row;
    },

    async lanes(afterEpoch) {
      const rows = await query<LaneRow>(
        `select l.epoch_no, l.size, l.head, l.root, coalesce(c.envelope, '') as certificate, e.closed_at is not null as closed,
           coalesce(i.size, 0) as integrated
         from lane l
         left join lane_certificate c on c.account_id = l.account_id and c.epoch_no = l.epoch_no
         join journal_epoch e on e.no = l.epoch_no
         left join lane_integrated i on i.account_id = l.account_id and i.epoch_no = l.epoch_no
         where l.epoch_no > $1 order by l.epoch_no limit ${LANES}`,
        [afterEpoch],
      );
      return rows.map(laneRecord);
    },

    async receipts(epoch, from, to) {
      const rows = await query<ReceiptRow>(
        `select r.sequence, r.call_id, r.phase, r.action, r.principal_id, r.code, r.at, r.statement,
           encode(sha256(o.statement), 'hex') as other, f.call_id is not null as in_flight
         from receipt r
         left join receipt o on o.account_id = r.account_id and o.call_id = r.call_id and o.phase <> r.phase
         left join in_flight f on f.account_id = r.account_id and f.call_id = r.call_id
         where r.epoch_no = $1 and r.sequence >= $2 and r.sequence < $3 order by r.sequence limit ${ENTRIES}`,
        [epoch, from, to],
      );
      return rows.map(receiptRecord);
    },

    async commits(epoch, after, to) {
      const rows = await query<CommitRow>(
        `select size, root, note, lane_index, path from lane_commit
         where epoch_no = $1 and size > $2 and size <= $3 order by size limit ${ENTRIES}`,
        [epoch, after, to],
      );
      return rows.map(commitRecord);
    },

    async beyond(epoch) {
      const [row] = await query<{ sequence: string }>(
        `select r.sequence from lane l join receipt r on r.account_id = l.account_id and r.epoch_no = l.epoch_no
         where l.epoch_no = $1 and r.sequence >= l.size order by r.sequence limit 1`,
        [epoch],
      );
      return row && Number(row.sequence);
    },

    async logSize() {
      const [row] = await query<{ size: string }>("select next_position as size from account_log", []);
      return Number(row?.size ?? 0);
    },

    async log(from, to) {
      const rows = await query<LogRow>(
        `select e.position, e.epoch_no, e.sequence, e.call_id, e.phase, e.action, e.principal_id, e.code, e.at,
           r.call_id as r_call_id, r.phase as r_phase, r.action as r_action, r.principal_id as r_principal_id,
           r.code as r_code, r.at as r_at
         from log_entry e
         left join receipt r on r.account_id = e.account_id and r.epoch_no = e.epoch_no and r.sequence = e.sequence
         where e.position >= $1 and e.position < $2 order by e.position limit ${ENTRIES}`,
        [from, to],
      );
      return rows.map(logRecord);
    },
  };
}

interface LaneRow {
  epoch_no: string;
  size: string;
  head: Buffer;
  root: Buffer;
  certificate: string;
  closed: boolean;
  integrated: string;
}

function laneRecord({ epoch_no, size, integrated, ...row }: LaneRow): LaneRecord {
  return { ...row, epoch: Number(epoch_no), size: Number(size), integrated: Number(integrated) };
}

interface ReceiptRow extends ColumnsRow {
  sequence: string;
  statement: Buffer;
  other: string | null;
  in_flight: boolean;
}

function receiptRecord(row: ReceiptRow): ReceiptRecord {
  const { sequence, statement, other, in_flight } = row;
  return {
    ...columns(row),
    sequence: Number(sequence),
    statement,
    other: other ?? undefined,
    inFlight: in_flight,
  };
}

interface CommitRow {
  size: string;
  root: Buffer;
  note: string;
  lane_index: number;
  path: Buffer;
}

function commitRecord({ size, root, note, lane_index, path }: CommitRow): CommitRecord {
  return { size: Number(size), root, note, laneIndex: lane_index, path: splitHashes(path) };
}

interface LogRow extends ColumnsRow {
  position: string;
  epoch_no: string;
  sequence: string;
  r_call_id: string | null;
  r_phase: string;
  r_action: string;
  r_principal_id: string | null;
  r_code: string;
  r_at: Date;
}

function logRecord(row: LogRow): LogRecord {
  const { position, epoch_no, sequence, r_call_id, r_phase, r_action, r_principal_id, r_code, r_at } = row;
  const receipt =
    r_call_id === null
      ? undefined
      : columns({
          call_id: r_call_id,
          phase: r_phase,
          action: r_action,
          principal_id: r_principal_id,
          code: r_code,
          at: r_at,
        });
  return {
    ...columns(row),
    position: Number(position),
    epoch: Number(epoch_no),
    sequence: Number(sequence),
    receipt,
  };
}

function columns({ call_id, phase, action, principal_id, code, at }: ColumnsRow): EntryColumns {
  return { callId: call_id, phase, action, principalId: principal_id ?? undefined, code, at };
}
