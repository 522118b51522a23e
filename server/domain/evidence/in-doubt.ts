import { type ErrorCode, HubError } from "../../errors.ts";

const IN_DOUBT: readonly ErrorCode[] = ["AMBIGUOUS", "LANE_LOST", "STORE_UNAVAILABLE"];

/**
 * Whether a transaction that failed with this may have been committed all the same, or its process was taken for dead: then
 * nobody says how the call ended but the journal, from what the database holds.
 */
export function isInDoubt(error: unknown): boolean {
  return error instanceof HubError && IN_DOUBT.includes(error.code);
}
