import { setTimeout as pause } from "node:timers/promises";
import { v7 } from "uuid";
import { canonicalize, type Json } from "../../../contracts/formats/canonical-json.ts";
import { commit } from "../../../contracts/formats/commitment.ts";
import type { Session, WriteSession } from "../../../server/adapters/postgres/database.ts";
import { integrationStore } from "../../../server/adapters/postgres/integration-store.ts";
import { journalStore } from "../../../server/adapters/postgres/journal-store.ts";
import { outcomeStore } from "../../../server/adapters/postgres/outcome-store.ts";
import type { Config } from "../../../server/config/config.ts";
import { createLog } from "../../../server/config/log.ts";
import type { CallOutcome, CallRecord } from "../../../server/domain/evidence/call-record.ts";
import { isInDoubt } from "../../../server/domain/evidence/in-doubt.ts";
import { HubError, toHubError } from "../../../server/errors.ts";
import { openJournal } from "../../../server/journal/open-journal.ts";
import type { RecoverableAccount } from "./open-account.ts";

export interface Change<Output> {
  /** As it stands in the receipts. */
  readonly action:
    | "recover_policy"
    | "recover_operator"
    | "backup_begin"
    | "backup_finish"
    | "backup_abandon"
    | "backup_restore";
  readonly input: Record<string, Json>;
  readonly target: NonNullable<CallRecord["target"]>;
  readonly effect: (session: Session, call: { readonly now: Date; readonly callId: string }) => Promise<Output>;
}

export interface Recorded<Output> {
  readonly output: Output;
  /** The salt opens the commitments in the receipts. */
  readonly receipt: { readonly id: string; readonly callId: string; readonly salt: string };
}

const ENTRIES_AT_A_TIME = 1000;
const ATTEMPTS = 3;
const PAUSE_MS = 1_000;

/**
 * The one change that passes no policy, recorded as every other: a durable intent, the effect and its outcome in one
 * transaction, then the outcome sequenced and signed, in a lane of this process. It may stand beside a running hub's.
 */
export async function recordChange<Output extends object>(
  account: RecoverableAccount,
  log: Config["log"],
  change: Change<Output>,
): Promise<Recorded<Output>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await recordOnce(account, log, change);
    } catch (error) {
      if (attempt === ATTEMPTS || !nothingHappened(error)) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** A busy database, most of the time; an intent that was written all the same is closed as AMBIGUOUS by the next hub. */
const nothingHappened = (error: unknown): boolean =>
  error instanceof HubError && error.code === "JOURNAL_UNAVAILABLE" && error.details?.["effect"] !== "committed";

async function recordOnce<Output extends object>(
  account: RecoverableAccount,
  log: Config["log"],
  { action, input, target, effect }: Change<Output>,
): Promise<Recorded<Output>> {
  const { id: accountId, hubId, database, keys, connect, hubPrincipalId } = account;
  const store = journalStore({ connect, database });
  const journal = await openJournal({ store, keys, hubId, log: createLog({ ...log, level: "warn" }) });
  try {
    const { digest, salt } = commit(Buffer.from(canonicalize(input)));
    const callId = v7();
    const record: CallRecord = {
      ...{ callId, accountId, action, schemaDigest: "", channel: "cli", input: digest, target },
      principal: { id: hubPrincipalId, kind: "service" },
    };
    await journal.intent(record);
    const run = async (session: WriteSession) => {
      const now = new Date();
      const output = await effect(session, { now, callId });
      const seen = commit(Buffer.from(canonicalize(output as Record<string, Json>)), salt).digest;
      const staged = await journal.stage(record, { code: "OK", at: now, output: seen });
      outcomeStore(session).stage(staged);
      return { output, staged };
    };
    const { output, staged } = await database.transact(accountId, run).catch(async (error: unknown) => {
      const failure = toHubError(error);
      const outcome: CallOutcome = { code: failure.code, at: new Date() };
      if (isInDoubt(failure)) journal.abandon(record, outcome);
      else await journal.outcome(record, outcome);
      throw error;
    });
    await journal.sequence(staged);
    return { output, receipt: { id: `${callId}.outcome`, callId, salt: salt.toString("base64") } };
  } finally {
    await journal.close();
    await placeInLog(account);
  }
}

/** A running hub does so too; without one the receipts would wait for the next start. */
async function placeInLog({ id, database }: RecoverableAccount): Promise<void> {
  const store = integrationStore(database);
  while ((await store.integrate([id], ENTRIES_AT_A_TIME)).length > 0);
}
