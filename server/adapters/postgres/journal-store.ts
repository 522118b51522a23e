import pg from "pg";
import type { StagedOutcome } from "../../domain/evidence/receipt-store.ts";
import type { GroupCommit, JournalStore, Refusal, WriterSession } from "../../journal/journal-store.ts";
import { BOOL, BYTEA, binaryArray, INT4, INT8, TEXT, TIMESTAMPTZ, UUID } from "./binary-array.ts";
import type { Database, Session } from "./database.ts";
import { eventStore } from "./event-store.ts";
import { storeError } from "./store-error.ts";

export interface JournalStoreOptions {
  /** A connected client of the writer's own, under the runtime role. */
  readonly connect: () => Promise<pg.Client>;
  readonly database: Database;
}

export function journalStore({ connect, database }: JournalStoreOptions): JournalStore {
  return {
    async connect() {
      try {
        return new PostgresWriterSession(await connect());
      } catch (error) {
        throw storeError(error);
      }
    },

    async fence(epoch) {
      const { rows } = await database.query<{ commits: string }>("select hub_fence_epoch($1) as commits", [epoch]);
      return Number(rows[0]?.commits);
    },

    async retire(epoch) {
      const { rows } = await database.query<{ done: boolean }>("select hub_retire_epoch($1) as done", [epoch]);
      return rows[0]?.done ?? false;
    },

    giveUp: (outcome) =>
      database.transact(outcome.accountId, async (session) => {
        // each of these waits where the effect's own transaction has changed the row and is still open
        await failRequest(session, outcome);
        await session.query("delete from idempotency where account_id = $1 and call_id = $2 and state = 'running'", [
          outcome.accountId,
          outcome.callId,
        ]);
        await session.query(
          `insert into outcome_staged (${STAGED_COLUMNS}) select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
           where not exists (select from receipt where account_id = $1 and call_id = $2 and phase = 'outcome')
           on conflict do nothing`,
          stagedValues(outcome),
        );
        const { rows } = await session.query<StagedRow>(
          `select ${STAGED_COLUMNS} from outcome_staged where account_id = $1 and call_id = $2`,
          [outcome.accountId, outcome.callId],
        );
        return rows[0] && stagedOutcome(rows[0]);
      }),
  };
}

async function failRequest(session: Session, { accountId, callId, code }: StagedOutcome): Promise<void> {
  const { rows } = await session.query<{ id: string; action: string; requester_id: string }>(
    `update approval_request set state = 'failed', error_code = $3, error_message = $4, held = null, closed_at = now(),
       version = version + 1
     where account_id = $1 and execution_call_id = $2 and state = 'executing' returning id, action, requester_id`,
    [accountId, callId, code, "The call was cut off before it took effect."],
  );
  for (const { id, action, requester_id } of rows) {
    const data = { action, requesterId: requester_id, code };
    await eventStore(session).emit({ type: "approval.failed", subject: `approvals/${id}`, data });
  }
}

export const STAGED_COLUMNS =
  "account_id, call_id, epoch_no, action, principal_id, code, at, statement, mac, mac_version";

export interface StagedRow {
  account_id: string;
  call_id: string;
  epoch_no: string;
  action: string;
  principal_id: string | null;
  code: string;
  at: Date;
  statement: string;
  mac: Buffer;
  mac_version: number;
}

export function stagedOutcome(row: StagedRow): StagedOutcome {
  const { account_id, call_id, epoch_no, principal_id, mac, mac_version, ...same } = row;
  return {
    accountId: account_id,
    callId: call_id,
    epoch: Number(epoch_no),
    principalId: principal_id ?? undefined,
    ...same,
    seal: { mac, version: mac_version },
  };
}

/** In the order of STAGED_COLUMNS. */
export function stagedValues(o: StagedOutcome): unknown[] {
  const { mac, version } = o.seal;
  return [o.accountId, o.callId, o.epoch, o.action, o.principalId ?? null, o.code, o.at, o.statement, mac, version];
}

/** SQLSTATEs after which it is certain that nothing was written. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  CS001: "fenced",
  CS002: "spent",
  CS003: "unstaged",
  "23505": "duplicate",
  "40001": "conflict",
  "40P01": "conflict",
};

/** After this long without an answer a commit counts as lost. */
const COMMIT_TIMEOUT_MS = 10_000;

const APPEND = {
  name: "journal-append",
  text: `select hub_append(${Array.from({ length: 28 }, (_, i) => `$${i + 1}`).join(", ")})`,
};

class PostgresWriterSession implements WriterSession {
  readonly #client: pg.Client;
  #lost: { cause: unknown } | undefined;
  #listener: ((cause: unknown) => void) | undefined;

  constructor(client: pg.Client) {
    this.#client = client;
    client.on("error", (error) => this.#lose(error));
    client.on("end", () => this.#lose(new Error("the connection ended")));
  }

  async open({ id, publicKey, keyExpiresAt }: { id: string; publicKey: Buffer; keyExpiresAt: Date }): Promise<number> {
    const text = "select hub_open_epoch($1, $2, $3) as no";
    return Number(await this.#one(text, [id, publicKey, keyExpiresAt]));
  }

  async resume(epoch: number): Promise<boolean> {
    return (await this.#one("select hub_resume_epoch($1)", [epoch])) as boolean;
  }

  async append(commit: GroupCommit): Promise<"done" | Refusal> {
    try {
      // node-postgres knows the option, its types do not
      const query = { ...APPEND, values: appendValues(commit), query_timeout: COMMIT_TIMEOUT_MS };
      await this.#client.query(query as pg.QueryConfig);
      return "done";
    } catch (error) {
      const refusal = error instanceof pg.DatabaseError ? REFUSALS[error.code ?? ""] : undefined;
      if (refusal !== undefined) return refusal;
      // whether it was written is unknown: with the session goes its claim to be alive
      this.#lose(error);
      throw storeError(error);
    }
  }

  onLost(listener: (cause: unknown) => void): void {
    this.#listener = listener;
    if (this.#lost !== undefined) listener(this.#lost.cause);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    await this.#client.end().catch(() => {});
  }

  async #one(text: string, values: unknown[]): Promise<unknown> {
    try {
      const { rows } = await this.#client.query({ text, values, rowMode: "array" });
      return (rows[0] as unknown[])[0];
    } catch (error) {
      this.#lose(error);
      throw storeError(error);
    }
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return;
    this.#lost = { cause };
    this.#listener?.(cause);
    // a client that waits for an answer never ends by itself
    (this.#client as pg.Client & { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
}

function appendValues({ epoch, no, note, lanes, entries }: GroupCommit): unknown[] {
  const nodes = lanes.flatMap(({ accountId, nodes }) => nodes.map((node) => ({ accountId, ...node })));
  const spends = entries.flatMap(({ accountId, callId, spend }) => (spend ? [{ accountId, callId, ...spend }] : []));
  return [
    epoch,
    no,
    note,
    binaryArray(
      UUID,
      lanes.map((l) => l.accountId),
    ),
    binaryArray(
      TEXT,
      lanes.map((l) => l.certificate),
    ),
    binaryArray(
      INT8,
      lanes.map((l) => l.from),
    ),
    binaryArray(
      INT8,
      lanes.map((l) => l.to),
    ),
    binaryArray(
      BYTEA,
      lanes.map((l) => l.head),
    ),
    binaryArray(
      BYTEA,
      lanes.map((l) => l.root),
    ),
    binaryArray(
      BYTEA,
      lanes.map((l) => Buffer.concat(l.path)),
    ),
    binaryArray(
      UUID,
      entries.map((e) => e.accountId),
    ),
    binaryArray(
      INT8,
      entries.map((e) => e.sequence),
    ),
    binaryArray(
      UUID,
      entries.map((e) => e.callId),
    ),
    binaryArray(
      BOOL,
      entries.map((e) => e.phase === "intent"),
    ),
    binaryArray(
      BOOL,
      entries.map((e) => e.staged),
    ),
    binaryArray(
      TEXT,
      entries.map((e) => e.action),
    ),
    binaryArray(
      UUID,
      entries.map((e) => e.principalId),
    ),
    binaryArray(
      TEXT,
      entries.map((e) => e.code),
    ),
    binaryArray(
      TIMESTAMPTZ,
      entries.map((e) => e.at),
    ),
    binaryArray(
      BYTEA,
      entries.map((e) => e.statement),
    ),
    binaryArray(
      UUID,
      nodes.map((n) => n.accountId),
    ),
    binaryArray(
      INT4,
      nodes.map((n) => n.level),
    ),
    binaryArray(
      INT8,
      nodes.map((n) => n.index),
    ),
    binaryArray(
      BYTEA,
      nodes.map((n) => n.hash),
    ),
    binaryArray(
      UUID,
      spends.map((s) => s.accountId),
    ),
    binaryArray(
      UUID,
      spends.map((s) => s.id),
    ),
    binaryArray(
      UUID,
      spends.map((s) => s.callId),
    ),
    binaryArray(
      BOOL,
      spends.map((s) => s.kind === "approval"),
    ),
  ];
}
