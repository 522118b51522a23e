import type { SweepStore } from "../../journal/sweeper.ts";
import type { Database } from "./database.ts";
import { STAGED_COLUMNS, type StagedRow, stagedOutcome } from "./journal-store.ts";

interface IntentRow {
  account_id: string;
  call_id: string;
  statement: Buffer;
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

    async stagedLeftovers(most) {
      const text = `select ${STAGED_COLUMNS} from hub_staged_leftovers($1)`;
      return (await database.query<StagedRow>(text, [most])).rows.map(stagedOutcome);
    },

    async abandonedIntents(most) {
      const text = "select account_id, call_id, statement from hub_abandoned_intents($1)";
      const { rows } = await database.query<IntentRow>(text, [most]);
      return rows.map(({ account_id, call_id, statement }) => ({ accountId: account_id, callId: call_id, statement }));
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
