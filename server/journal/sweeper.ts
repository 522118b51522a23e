import { hash } from "node:crypto";
import type { StagedOutcome } from "../domain/evidence/receipt-store.ts";
import { HubError } from "../errors.ts";
import { FORGED } from "./backlog.ts";
import { readCallRecord } from "./build-receipt.ts";
import type { JournalLog } from "./journal-log.ts";
import type { OpenJournal } from "./lane-journal.ts";
import { type Repeating, repeat } from "./repeat.ts";

/** What the sweeper needs of the database. */
export interface SweepStore {
  /** Epochs, of any hub, that are not closed. */
  unclosedEpochs(): Promise<number[]>;
  /** Closes the epoch of a writer that is gone; `busy` while a transaction that staged an outcome is still open. */
  closeEpoch(epoch: number): Promise<"closed" | "alive" | "busy">;
  /** Outcomes left behind in closed epochs, in the order of account and call, behind the one named. */
  stagedLeftovers(most: number, after?: CallKey): Promise<StagedOutcome[]>;
  /** The call's intent, where it has no outcome and was left behind in a closed epoch. */
  abandonedIntent(call: CallKey): Promise<AbandonedIntent | undefined>;
  /** Intents without an outcome, not even a staged one, left behind in closed epochs. */
  abandonedIntents(most: number): Promise<AbandonedIntent[]>;
  /** Tells the idempotency key and the approval request of a call, and who follows events, that it was cut off. */
  markAmbiguous(intent: AbandonedIntent, facts: { callId: string; action: string }): Promise<void>;
  /** Forgets ids of confirmations that were spent before this and have expired since. */
  forgetConfirmations(before: Date): Promise<void>;
  /** Deletes outcomes that were kept under idempotency keys and have expired. */
  forgetOutcomes(before: Date): Promise<void>;
}

export interface CallKey {
  readonly accountId: string;
  readonly callId: string;
}

export interface AbandonedIntent extends CallKey {
  readonly statement: Buffer;
}

export interface SweeperOptions {
  readonly store: SweepStore;
  readonly journal: OpenJournal;
  readonly log: JournalLog;
  readonly everyMs?: number;
}

const AT_A_TIME = 200;
const CONFIRMATIONS_KEPT_MS = 24 * 3_600_000;

/**
 * Finishes what processes left behind that ended without closing their epochs, first before this resolves and then every
 * few seconds. Any hub may do it for any other; two at once do no harm.
 */
export async function startSweeper(options: SweeperOptions): Promise<Repeating> {
  const reported = new Set<string>();
  await sweep(options, reported);
  return repeat(() => sweep(options, reported), {
    everyMs: options.everyMs ?? 3_000,
    onError: (err) => options.log.warn({ err }, "the journal's sweeper failed; it tries again"),
  });
}

/**
 * One round. An effect that committed gets its own outcome; a call whose effect nobody knows of becomes AMBIGUOUS.
 * `reported`: calls whose forged rows the log has been told of.
 */
export async function sweep({ store, journal, log }: SweeperOptions, reported = new Set<string>()): Promise<void> {
  await journal.tend();
  const { epoch: own } = journal.status();
  for (const epoch of await store.unclosedEpochs()) {
    if (epoch !== own && (await store.closeEpoch(epoch)) === "closed") {
      log.info({ epoch }, "the journal closed an epoch whose process is gone");
    }
  }
  await inRounds<StagedOutcome>(
    (last) => store.stagedLeftovers(AT_A_TIME, last),
    async (staged) => {
      if (await journal.recover(staged)) return;
      const { accountId, callId, epoch } = staged;
      const name = `${accountId}/${callId}`;
      if (!reported.has(name)) log.error({ accountId, callId, epoch }, FORGED);
      reported.add(name);
      // the row stays, as evidence
      const intent = await store.abandonedIntent(staged);
      if (intent !== undefined) await closeAbandoned(store, journal, intent);
    },
    (err, { callId }) => log.error({ err, callId }, "a committed outcome could not be sequenced"),
  );
  await inRounds(
    () => store.abandonedIntents(AT_A_TIME),
    (intent) => closeAbandoned(store, journal, intent),
    (err, { callId }) => log.error({ err, callId }, "an abandoned intent could not be closed"),
  );
  await store.forgetConfirmations(new Date(Date.now() - CONFIRMATIONS_KEPT_MS));
  await store.forgetOutcomes(new Date());
}

async function closeAbandoned(store: SweepStore, journal: OpenJournal, intent: AbandonedIntent): Promise<void> {
  const record = readCallRecord(intent.statement);
  // before the outcome, which takes the intent out of sight: a crash in between has this done twice, not never
  await store.markAmbiguous(intent, { callId: record.callId, action: record.action });
  await journal.ambiguous(record, hash("sha256", intent.statement, "hex")).catch((error: unknown) => {
    // another hub was first
    if (!(error instanceof HubError) || error.code !== "CONFLICT") throw error;
  });
}

/** Takes what is there in rounds, all of a round at once, until nothing is left or a round brings nothing. */
async function inRounds<T>(
  next: (last?: T) => Promise<T[]>,
  work: (item: T) => Promise<void>,
  onError: (error: unknown, item: T) => void,
): Promise<void> {
  for (let items = await next(); items.length > 0; items = await next(items.at(-1))) {
    let done = 0;
    const all = items.map(async (item) => {
      try {
        await work(item);
        done++;
      } catch (error) {
        onError(error, item);
      }
    });
    await Promise.all(all);
    if (done === 0 || items.length < AT_A_TIME) return;
  }
}
