import { canonicalize, type Json } from "../../contracts/formats/canonical-json.ts";
import type { KeyService } from "../domain/keys/key-service.ts";
import { boundToCall } from "../domain/keys/payload-binding.ts";
import type { Idempotency } from "./idempotency.ts";

const DAY_MS = 24 * 3_600_000;

/** Outcomes are kept for a day, encrypted under the account's key and bound to the call they belong to. */
export function createIdempotency(keys: Pick<KeyService, "encrypt" | "decrypt">): Idempotency {
  return {
    ttlMs: DAY_MS,
    seal: (accountId, callId, outcome) =>
      keys.encrypt(accountId, "data", Buffer.from(canonicalize(outcome as Json)), boundToCall(callId)),
    open: async (accountId, callId, sealed) =>
      JSON.parse((await keys.decrypt(accountId, "data", sealed, boundToCall(callId))).toString()),
  };
}
