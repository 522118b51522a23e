import type { AbandonedIntent, SweepStore } from "../../journal/sweeper.ts";
import type { Database } from "./database.ts";
import { STAGED_COLUMNS, type StagedRow, stagedOutcome } from "./journal-store.ts";

interface IntentRow {
  account_id: string;
  call_id: string;
  statement: Buffer;
}

/** Comes before every id. */
const NO_ID = "00000000-0000-0000-0000-000000000000";

function abandonedIntent({ account_id, call_id, statement }: IntentRow): AbandonedIntent {
  return { accountId: account_id, callId: call_id, statement };
}

export function sweepStore(database: Database): SweepStore {
  return {
    async unclosedEpochs() {
      const text = "select no from journal_epoch where closed_at is null order by no";
      return (await database.query<{ no: string }>(text)).rows.map(({ no }) => Number(no));
    },

    async closeEpoch(epoch) {
      const text = "select hub_close_epoch($1) as answer";
      const { rows } = await database.query<{ answer: "closed" | "alive" | "busy" }>(text, [epoch]);
      return rows[0]?.answer ?? "busy";
    },

    async stagedLeftovers(most, after) {
      const text = `select ${STAGED_COLUMNS} from hub_staged_leftovers($1, $2, $3)`;
      const values = [most, after?.accountId ?? NO_ID, after?.callId ?? NO_ID];
      return (await database.query<StagedRow>(text, values)).rows.map(stagedOutcome);
    },

    async abandonedIntents(most) {
      const text = "select account_id, call_id, statement from hub_abandoned_intents($1)";
      const { rows } = await database.query<IntentRow>(text, [most]);
      return rows.map(abandonedIntent);
    },

    async abandonedIntent({ accountId, callId }) {
      const text = "select account_id, call_id, statement from hub_abandoned_intent($1, $2)";
      const { rows } = await database.query<IntentRow>(text, [accountId, callId]);
      return rows[0] && abandonedIntent(rows[0]);
    },

    async markAmbiguous({ accountId, callId }, facts) {
      await database.query("select hub_mark_ambiguous($1, $2, $3)", [accountId, callId, JSON.stringify(facts)]);
    },

    async forgetConfirmations(before) {
      await database.query("select hub_forget_confirmations($1)", [before]);
    },

    async forgetOutcomes(before) {
      await database.query("select hub_forget_outcomes($1)", [before]);
    },
  };
}
