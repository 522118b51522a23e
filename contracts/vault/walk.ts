import * as z from "zod";
import { rowId } from "../formats/row-id.ts";
import { recordKind } from "./rotation.ts";

/** What the hub's jobs do in one account at a time. */

/** The kinds of operations that walk through all accounts. Of each kind, one at a time is under way. */
export const ROTATION = "vault.rotation";
export const VERIFICATION = "vault.verification";
export const FINALIZATION = "vault.finalization";
export const TRIMMING = "vault.trimming";

/** Items of a batch: what a transit engine takes at once, and what a receipt's list should not outgrow. */
export const MOST_ITEMS = 500;
export const batchSize = z.int().min(1).max(MOST_ITEMS);

/** Who walks: the rotation, and the fence that its operation gave to whoever carries it on. */
export const walker = { rotationId: rowId, fence: z.int().min(1) };

/** One record that went from one version of the key to another. */
export const movedRecord = z.strictObject({ id: z.string(), from: z.int(), to: z.int() });
export type MovedRecord = z.output<typeof movedRecord>;

/** A batch with what opens the commitment in its receipt: `digest` is the SHA-256 of the salt and the canonical `moved`. */
export const walkedBatchView = z.strictObject({
  no: z.int(),
  callId: z.string(),
  digest: z.string(),
  salt: z.string().describe("Base 64, 32 bytes"),
  moved: z.array(movedRecord),
});
export type WalkedBatchView = z.output<typeof walkedBatchView>;

export const failedRecord = z.strictObject({ kind: recordKind, id: z.string(), code: z.string() });
export type FailedRecord = z.output<typeof failedRecord>;
