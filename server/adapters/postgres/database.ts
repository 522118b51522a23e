import type { Writable } from "node:stream";
import pg from "pg";
import { HubError } from "../../errors.ts";
import { QuietClient } from "./quiet-client.ts";
import { storeError } from "./store-error.ts";

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Prepared once a connection under this name; the text must always be the same. */
  readonly name?: string;
}

export interface Result<R> {
  readonly rows: R[];
  /** Rows returned or touched. */
  readonly rowCount: number;
}

/** Where statements go. 8-byte integers and numerics come as strings, timestamps as Date, bytea as Buffer. */
export interface Session {
  query<R extends object>(statement: string | Statement, values?: readonly unknown[]): Promise<Result<R>>;
}

/** A transaction that may write. */
export interface WriteSession extends Session {
  /**
   * Sends the transaction's last statement, which nobody waits for: it travels with COMMIT. Where it fails nothing is
   * committed, and `transact` throws what `explain` makes of the failure.
   */
  last(statement: Statement, values: readonly unknown[], explain: (error: unknown) => unknown): void;
}

/** One account's rows at a time, as `Database` gives them to who needs no more than a session. */
export interface AccountSessions {
  read<T>(accountId: string, fn: (session: Session) => Promise<T>): Promise<T>;
  transact<T>(accountId: string, fn: (session: Session) => Promise<T>): Promise<T>;
}

export interface DatabaseOptions {
  /** Connections at most; who finds none free waits. */
  readonly poolSize?: number;
  readonly statementTimeoutMs?: number;
  /** How long to wait for any answer to a statement; its connection is given up then. */
  readonly answerTimeoutMs?: number;
  /** How long to wait for a connection. */
  readonly connectTimeoutMs?: number;
  /** Connections that broke while idle: for the log alone, the pool replaces them. */
  readonly onError?: (error: Error) => void;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Throws a TypeError: ids come from the database or were parsed before, so that another shape is a fault of ours. */
export function checkAccountId(accountId: string): void {
  if (!UUID.test(accountId)) throw new TypeError("accountId is not a lower-case UUID");
}

/**
 * The hub's rows under the runtime role. Tenant rows exist only inside `read` and `transact`: their transaction
 * carries the account, and the tables' policies compare `account_id` to it. Outside of them there are no tenant rows.
 *
 * Every method throws STORE_UNAVAILABLE (no answer, or no free connection in time), TIMEOUT (a statement took too
 * long), CONFLICT (deadlock), CANCELLED (the signal fired). Violated constraints come as `pg.DatabaseError`.
 */
export class Database implements Session {
  readonly #config: pg.PoolConfig;
  readonly #pool: pg.Pool;
  readonly #left = new LeftOpen();
  #closing: Promise<void> | undefined;

  constructor(config: pg.PoolConfig, options: DatabaseOptions = {}) {
    this.#config = config;
    const timeout = options.statementTimeoutMs ?? 15_000;
    this.#pool = new pg.Pool({
      application_name: "countersign",
      ...config,
      Client: QuietClient,
      max: options.poolSize ?? 10,
      // statements that do not wait for each other share a round trip
      pipeline: true,
      keepAlive: true,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      statement_timeout: timeout,
      // after the server's own limit: for one that took the statement and then says nothing at all
      query_timeout: options.answerTimeoutMs ?? timeout + 5_000,
      // a transaction that its own process forgot must not hold locks for ever
      idle_in_transaction_session_timeout: 4 * timeout,
    });
    this.#pool.on("error", options.onError ?? (() => {}));
  }

  /** One account's rows, in a transaction that cannot write. */
  read<T>(accountId: string, fn: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#transaction("begin read only", accountId, fn, signal);
  }

  /**
   * Commits when `fn` resolves, rolls back when it throws. Throws AMBIGUOUS where the connection was lost while
   * committing: then nobody knows whether it did.
   */
  transact<T>(accountId: string, fn: (session: WriteSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#transaction("begin", accountId, fn, signal);
  }

  /** One statement without an account: the functions `hub_*` and the tables that belong to no tenant. */
  async query<R extends object>(statement: string | Statement, values?: readonly unknown[]): Promise<Result<R>> {
    const client = await this.#connect();
    try {
      sendTogether(client);
      this.#left.end(client);
      const result = await send<R>(client, statement, values);
      client.release();
      return result;
    } catch (error) {
      client.release(error instanceof Error ? error : true);
      throw storeError(error);
    }
  }

  /** Waits for the transactions under way; what comes later gets STORE_UNAVAILABLE. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #transaction<T>(
    begin: "begin" | "begin read only",
    accountId: string,
    fn: (session: WriteSession) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    checkAccountId(accountId);
    if (signal?.aborted) throw cancelled();
    const client = await this.#connect();
    const session = new TransactionSession(client, signal);
    const cancel = () => session.cancel(this.#config);
    signal?.addEventListener("abort", cancel, { once: true });
    const release = async (broken?: Error) => {
      signal?.removeEventListener("abort", cancel);
      session.end();
      await session.cancelling;
      // a connection in an unknown state, or with a cancellation on its way, does not go back into the pool
      client.release(broken ?? session.cancelling !== undefined);
    };
    try {
      sendTogether(client);
      this.#left.end(client);
      const result = await session.begun(begin, accountId, fn);
      signal?.removeEventListener("abort", cancel); // from here on it is the server's decision
      session.end();
      if (begin === "begin") await session.commit();
      else this.#left.add(client);
      await release();
      return result;
    } catch (error) {
      await client.query("rollback").then(() => release(), release);
      throw error;
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw storeError(error);
    }
  }
}

class TransactionSession implements WriteSession {
  readonly #client: pg.PoolClient;
  readonly #signal: AbortSignal | undefined;
  /** Of the first statement that failed while `fn` ran: it is for `fn` to tell. */
  #failure: unknown;
  /** The last statement's end, with what explains its failure: nobody waited for it. */
  #last: Promise<unknown> | undefined;
  #atWork = 0;
  #ended = false;
  /** The cancellation under way; settled when the server has it. */
  cancelling: Promise<void> | undefined;

  constructor(client: pg.PoolClient, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
  }

  /**
   * Begins and runs `fn`, whose first statement travels with `begin`: were that to fail, the statement would run without
   * an account, which is without rows.
   */
  async begun<T>(begin: string, accountId: string, fn: (session: WriteSession) => Promise<T>): Promise<T> {
    // a checked UUID needs no quoting, and text without parameters may hold two statements
    const began = this.query(`${begin}; set local app.account_id = '${accountId}'`);
    began.catch(() => {}); // told below, unless `fn` fails first
    const [result] = await Promise.all([fn(this), began]);
    // swallowed by `fn`: the transaction is void, and COMMIT would only turn into ROLLBACK
    if (this.#failure !== undefined) throw await this.#voided();
    return result;
  }

  async query<R extends object>(statement: string | Statement, values?: readonly unknown[]): Promise<Result<R>> {
    if (this.#ended) throw new Error("a statement after its transaction ended");
    if (this.#signal?.aborted) throw cancelled();
    this.#atWork += 1;
    try {
      return await send<R>(this.#client, statement, values);
    } catch (error) {
      const mapped = this.#signal?.aborted ? cancelled(error) : storeError(error);
      this.#failure ??= mapped;
      throw mapped;
    } finally {
      this.#atWork -= 1;
    }
  }

  last(statement: Statement, values: readonly unknown[], explain: (error: unknown) => unknown): void {
    sendTogether(this.#client);
    this.#last = this.query(statement, values).then(() => undefined, explain);
  }

  async commit(): Promise<void> {
    if (this.#signal?.aborted) throw cancelled();
    const { command } = await this.#client.query("commit").catch((error: unknown) => {
      const mapped = storeError(error);
      if (!(mapped instanceof HubError) || mapped.code !== "STORE_UNAVAILABLE") throw mapped;
      const message = "The connection to the database was lost while committing: whether it did is unknown.";
      throw new HubError("AMBIGUOUS", message, { cause: error });
    });
    // a statement that failed and was swallowed turns COMMIT into ROLLBACK without an error
    if (command !== "COMMIT") throw await this.#voided();
  }

  /** Asks the server, over a connection that no other waits for, to stop the statement at work. */
  cancel(config: pg.PoolConfig): void {
    if (this.#atWork) this.cancelling = cancelBackend(config, this.#client);
  }

  end(): void {
    this.#ended = true;
  }

  async #voided(): Promise<unknown> {
    const explained = await this.#last;
    if (explained !== undefined) return explained;
    const message = "A statement failed and nobody said so: its transaction was rolled back.";
    return new HubError("INTERNAL", message, { cause: this.#failure });
  }
}

/** How long a read's transaction may stay open while its connection is idle: it holds nothing that others wait for. */
const LEFT_OPEN_MS = 10;

/**
 * Connections that owe the COMMIT of a read. What was read stands, however its transaction ends; so that travels with the
 * next statement of the connection, whatever it is for, or follows in a moment: a round trip less for each read.
 */
class LeftOpen {
  readonly #owed = new WeakMap<pg.PoolClient, NodeJS.Timeout>();

  add(client: pg.PoolClient): void {
    this.#owed.set(client, setTimeout(() => this.end(client), LEFT_OPEN_MS).unref());
  }

  /** Before anything else is sent over the connection. */
  end(client: pg.PoolClient): void {
    const owed = this.#owed.get(client);
    if (owed === undefined) return;
    clearTimeout(owed);
    this.#owed.delete(client);
    client.query("commit").catch(() => {}); // of a lost connection: the next statement says so
  }
}

/** What is sent until the end of this turn leaves in one piece. */
function sendTogether(client: pg.PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Writable } }).connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

async function cancelBackend(config: pg.PoolConfig, client: pg.PoolClient): Promise<void> {
  const { processID } = client as pg.PoolClient & { processID: number };
  const messenger = new pg.Client({ ...config, application_name: "countersign-cancel" });
  messenger.on("error", () => {});
  try {
    await messenger.connect();
    await messenger.query("select pg_cancel_backend($1)", [processID]);
  } catch {
    // then the statement's own timeout ends it
  } finally {
    await messenger.end().catch(() => {});
  }
}

const names = new Map<string, string>();
const MOST_NAMES = 500;

/** Statements with parameters are prepared once a connection; their texts are the program's own, so they are few. */
function preparedName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MOST_NAMES) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

/** Sends a statement as pg's own object: from a plain one, pg would copy every property's descriptor first. */
function send<R extends object>(
  to: pg.Pool | pg.PoolClient,
  statement: string | Statement,
  values?: readonly unknown[],
): Promise<Result<R>> {
  const { text, name: given, values: own }: Statement = typeof statement === "string" ? { text: statement } : statement;
  const bound = values ?? own;
  const query = new pg.Query<R>(text, bound && [...bound]) as SentQuery;
  const name = bound && (given ?? preparedName(text));
  if (name !== undefined) query.name = name;
  return new Promise((resolve, reject) => {
    to.query(query, (error, result) => {
      if (error) reject(error);
      else resolve({ rows: result.rows as R[], rowCount: result.rowCount ?? 0 });
    });
  });
}

/** What pg's types leave out. */
type SentQuery = pg.Query & { name?: string } & pg.QueryConfig;

function cancelled(cause?: unknown): HubError {
  return new HubError("CANCELLED", "The call was cancelled.", { cause });
}
