import pg from "pg";
import type { OutcomeWriter } from "../../domain/evidence/receipt-store.ts";
import { HubError } from "../../errors.ts";
import type { WriteSession } from "./database.ts";
import { stagedValues } from "./journal-store.ts";

const EPOCH_CLOSED = "CS001";

const STAGE = {
  name: "stage-outcome",
  text: "select hub_stage_outcome($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
};

/** Outcomes that commit with their effect. */
export function outcomeStore(session: WriteSession): OutcomeWriter {
  return {
    stage: (outcome) => session.last(STAGE, stagedValues(outcome), lostLane),
  };
}

function lostLane(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || error.code !== EPOCH_CLOSED) return error;
  const message = "This process was taken for dead while the call ran: nothing was changed. Call again.";
  return new HubError("LANE_LOST", message, { cause: error });
}
