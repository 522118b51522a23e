/**
 * A hub's process as far as the journal sees it, to be killed, stopped and woken by tests. It takes its orders over IPC
 * and makes changes as the gate does: key claimed, intent, effect and outcome in one transaction, sequenced.
 */
import { createSecretKey } from "node:crypto";
import type pg from "pg";
import { v7 } from "uuid";
import type { Spend } from "../action/journal.ts";
import { EmbeddedKeyService } from "../adapters/embedded-keys/embedded-key-service.ts";
import { Database } from "../adapters/postgres/database.ts";
import { dedicatedClient } from "../adapters/postgres/dedicated-client.ts";
import { idempotencyStore } from "../adapters/postgres/idempotency-store.ts";
import { journalStore } from "../adapters/postgres/journal-store.ts";
import { PostgresKeyStore } from "../adapters/postgres/key-store.ts";
import { outcomeStore } from "../adapters/postgres/outcome-store.ts";
import type { CallRecord } from "../domain/evidence/call-record.ts";
import { toHubError } from "../errors.ts";
import { ended, SILENT } from "./journal-fixture.ts";
import { type OpenJournal, openJournal } from "./open-journal.ts";

export interface ProcessSetup {
  readonly login: pg.PoolConfig;
  readonly hubId: string;
  /** Base64. */
  readonly rootKey: string;
}

export interface Order {
  /** `claim` takes the idempotency key and stops there, `begin` stops after the intent, `finish` goes on from there. */
  readonly what: "claim" | "begin" | "finish" | "change";
  readonly record: CallRecord;
  readonly spend?: Spend;
}

export type Answer =
  | { readonly done: true }
  | { readonly code: string; readonly message: string; readonly cause?: string };

if (import.meta.main) process.once("message", (setup: ProcessSetup) => void serve(setup));

async function serve({ login, hubId, rootKey }: ProcessSetup): Promise<void> {
  const database = new Database(login, { poolSize: 3 });
  const keys = new EmbeddedKeyService(createSecretKey(Buffer.from(rootKey, "base64")), new PostgresKeyStore(database));
  const connect = () => dedicatedClient(login, "countersign-journal");
  const journal = await openJournal({ store: journalStore({ database, connect }), keys, hubId, log: SILENT });
  process.on("message", (order: Order) => {
    carryOut(database, journal, order).then(
      () => process.send?.({ done: true } satisfies Answer),
      (error: unknown) => {
        const { code, message, cause } = toHubError(error);
        process.send?.({ code, message, cause: (cause as Error | undefined)?.stack ?? "" } satisfies Answer);
      },
    );
  });
  process.send?.({ done: true } satisfies Answer);
}

async function carryOut(database: Database, journal: OpenJournal, { what, record, spend }: Order): Promise<void> {
  const { accountId, callId } = record;
  const scope = { principalId: record.principal?.id ?? "", action: record.action, key: callId };
  if (what !== "finish") {
    const claim = {
      callId,
      epoch: await journal.epoch(),
      inputMac: Buffer.alloc(32),
      expiresAt: new Date(Date.now() + 60_000),
    };
    await database.transact(accountId, (session) => idempotencyStore(session).claim(scope, claim));
    if (what === "claim") return;
    await journal.intent(record, spend);
    if (what === "begin") return;
  }
  const staged = await database.transact(accountId, async (session) => {
    // the effect: a person of the call's own
    await session.query("insert into person (account_id, id, name) values ($1, $2, $3)", [accountId, v7(), callId]);
    const staged = await journal.stage(record, ended());
    outcomeStore(session).stage(staged);
    return staged;
  });
  await journal.sequence(staged);
}
