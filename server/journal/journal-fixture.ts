/** For tests of the journal: accounts with keys on a database of their own, journals on it, and calls to record. */
import { createSecretKey, randomBytes } from "node:crypto";
import pg from "pg";
import { v7 } from "uuid";
import { EmbeddedKeyService } from "../adapters/embedded-keys/embedded-key-service.ts";
import type { Database } from "../adapters/postgres/database.ts";
import { dedicatedClient } from "../adapters/postgres/dedicated-client.ts";
import { integrationStore } from "../adapters/postgres/integration-store.ts";
import { journalSource } from "../adapters/postgres/journal-source.ts";
import { journalStore } from "../adapters/postgres/journal-store.ts";
import { PostgresKeyStore } from "../adapters/postgres/key-store.ts";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import { receiptStore } from "../adapters/postgres/receipt-store.ts";
import { sweepStore } from "../adapters/postgres/sweep-store.ts";
import { type TestDatabase, testDatabase } from "../adapters/postgres/test-database.ts";
import type { CallOutcome, CallRecord } from "../domain/evidence/call-record.ts";
import type { ReceiptFilter } from "../domain/evidence/receipt-store.ts";
import { type Integrator, startIntegrator } from "./integrator.ts";
import type { JournalLog } from "./journal-log.ts";
import type { JournalStore } from "./journal-store.ts";
import { type JournalOptions, type OpenJournal, openJournal } from "./open-journal.ts";
import { sweep } from "./sweeper.ts";
import { createJournalVerifier } from "./verify-journal.ts";

export const SILENT: JournalLog = { info() {}, warn() {}, error() {} };

const hex = () => randomBytes(32).toString("hex");
const PRINCIPAL = { id: v7(), kind: "agent" } as const;

/** The record of a new call; every optional fact is there. */
export function callOf(accountId: string, facts: Partial<CallRecord> = {}): CallRecord {
  return {
    callId: v7(),
    accountId,
    action: "system_fleet_put_object",
    schemaDigest: hex(),
    principal: PRINCIPAL,
    channel: "mcp",
    input: hex(),
    policy: { version: 3, hash: hex(), decidedBy: ["base.fleet", "own.7"] },
    approval: {
      requestId: v7(),
      profile: "team",
      demand: "approve",
      decisions: [{ personId: v7(), assurance: "signed", keyId: hex(), envelope: hex() }],
    },
    target: { type: "FleetObject", id: "Template/web", version: "4" },
    runId: "run 7",
    traceId: randomBytes(16).toString("hex"),
    ...facts,
  };
}

export function ended(code: CallOutcome["code"] = "OK"): CallOutcome {
  return { code, at: new Date(), ...(code === "OK" && { output: hex() }) };
}

/** For what happens by itself, and only then. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export interface JournalFixture extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly database: Database;
  /** Sees everything and may do anything, tampering included. */
  readonly superuser: pg.Client;
  readonly hubId: string;
  readonly rootKey: Buffer;
  readonly keys: EmbeddedKeyService;
  readonly integrator: Integrator;
  addAccount(): Promise<string>;
  store(): JournalStore;
  open(options?: Partial<JournalOptions>): Promise<OpenJournal>;
  /** A change as the gate makes it: intent, effect and staged outcome in one transaction, sequenced. */
  change(journal: OpenJournal, record: CallRecord): Promise<void>;
  sweep(journal: OpenJournal): Promise<void>;
  /** Codes of the call's receipts by phase, as the journal has them. */
  codes(record: CallRecord): Promise<Record<string, string>>;
  list(accountId: string, filter?: ReceiptFilter): Promise<string[]>;
  integrate(): Promise<void>;
  verify(accountId: string): ReturnType<ReturnType<typeof createJournalVerifier>["verify"]>;
  /** Ends the journals' database sessions, as a network would. */
  cutSessions(): Promise<number>;
  approvedRequest(accountId: string, expiresInMs?: number): Promise<string>;
}

/** The hub's own account is there, with its keys. */
export async function journalFixture(): Promise<JournalFixture> {
  const db = await testDatabase({ poolSize: 10 });
  const { database } = db;
  const superuser = new pg.Client(db.superuser);
  await superuser.connect();
  const rootKey = randomBytes(32);
  const keys = new EmbeddedKeyService(createSecretKey(rootKey), new PostgresKeyStore(database));
  const integrator = startIntegrator({ store: integrationStore(database), log: SILENT, everyMs: 60_000 });
  const opened: OpenJournal[] = [];

  const addAccount = async (isHub = false) => {
    const id = v7();
    await superuser.query("insert into account (id, name, profile, is_hub) values ($1, 'Laboratory', 'team', $2)", [
      id,
      isHub,
    ]);
    await keys.create(id, "root");
    await keys.create(id, "mac");
    return id;
  };
  const hubId = await addAccount(true);
  const store = () => journalStore({ database, connect: () => dedicatedClient(db.runtime, "countersign-journal") });
  const verifier = createJournalVerifier({ source: (id) => journalSource(database, id), keys, hubId });

  return {
    ...{ db, database, superuser, hubId, rootKey, keys, integrator, store },
    addAccount: () => addAccount(),

    async open(options = {}) {
      const journal = await openJournal({
        ...{ store: store(), keys, hubId, log: SILENT },
        onCommitted: (accounts) => integrator.kick(accounts),
        ...options,
      });
      opened.push(journal);
      return journal;
    },

    async change(journal, record) {
      await journal.intent(record);
      const staged = await journal.stage(record, ended());
      await database.transact(record.accountId, async (session) => {
        await session.query("select set_config('application_name', 'the effect', true)");
        outcomeStore(session).stage(staged);
      });
      await journal.sequence(staged);
    },

    sweep: (journal) => sweep({ store: sweepStore(database), journal, log: SILENT }),

    async codes({ accountId, callId }) {
      const { rows } = await superuser.query<{ phase: string; code: string }>(
        "select phase, code from receipt where account_id = $1 and call_id = $2",
        [accountId, callId],
      );
      return Object.fromEntries(rows.map(({ phase, code }) => [phase, code]));
    },

    async list(accountId, filter = {}) {
      const { items } = await database.read(accountId, (session) => receiptStore(session).list(filter, { limit: 200 }));
      return items.map(({ id }) => id);
    },

    async integrate() {
      integrator.kick((await integrationStore(database).unintegrated()).values());
      await integrator.settled();
    },

    verify: (accountId) => verifier.verify(accountId),

    async cutSessions() {
      const { rowCount } = await superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'countersign-journal' and datname = current_database()`,
      );
      return rowCount ?? 0;
    },

    async approvedRequest(accountId, expiresInMs = 60_000) {
      const id = v7();
      await superuser.query("set session_replication_role = replica"); // who asked does not matter here
      await superuser.query(
        `insert into approval_request (account_id, id, state, action, schema_digest, requester_id, requester_kind, profile,
           statement, statement_digest, preview, preview_digest, held, input_mac, demand_kind, demand_people, demand_holding,
           demand_rules, target_type, target_id, policy_hash, approval_expires_at, execution_expires_at, created_at)
         values ($1, $2, 'approved', 'a', 'd', $2, 'agent', 'team', 's', 'd', 'p', 'd', 'held', sha256('m'), 'approve', 1, '{}',
           '{}', 'Account', 'a', 'h', now(), $3, now())`,
        [accountId, id, new Date(Date.now() + expiresInMs)],
      );
      await superuser.query("set session_replication_role = origin");
      return id;
    },

    async [Symbol.asyncDispose]() {
      for (const journal of opened) await journal.close();
      await integrator.stop();
      await superuser.end();
      await db[Symbol.asyncDispose]();
    },
  };
}
