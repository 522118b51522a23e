import * as z from "zod";
import { rowId } from "../formats/row-id.ts";
import { operationState } from "../operations/operation.ts";
import { progress } from "../operations/progress.ts";

/** A rotation of all accounts' transit keys as actions answer with it. Ids, codes and counts: nothing of any account's own. */
export const rotationId = rowId.describe("as system_rotate_vault_transit_pepper answered");

export const RECORD_KINDS = ["credential", "held", "result", "outcome"] as const;
/** `held`: an input that waits for approval; `result`, `outcome`: what is kept for whoever asked, until it expires. */
export const recordKind = z.enum(RECORD_KINDS);
export type RecordKind = z.output<typeof recordKind>;

/** A record that does not open, or (without one) an account in which the hub could not work. */
export const rotationFailure = z.strictObject({
  accountId: z.string(),
  kind: recordKind.nullable(),
  recordId: z.string().nullable(),
  code: z.string(),
});
export type RotationFailure = z.output<typeof rotationFailure>;

const operationError = z.strictObject({ code: z.string(), message: z.string() }).nullable();

export const finalizationView = z.strictObject({
  id: z.string().describe("of its operation"),
  state: operationState,
  sentence: z.string(),
  soakUntil: z.iso.datetime().nullable().describe("from then on old versions stop decrypting"),
  error: operationError,
});

export const rotationView = z.strictObject({
  id: z.string(),
  state: operationState,
  paused: z.boolean(),
  progress,
  accounts: z.strictObject({ total: z.int(), done: z.int(), failed: z.int() }),
  rotated: z.int().describe("credentials carried over to the new version of their account's key"),
  skipped: z.int().describe("credentials that were under the new version already"),
  failed: z.int().describe("credentials that do not open; `failures` names them"),
  remaining: z.int(),
  payloads: z.int().describe("held inputs and kept results carried over"),
  ratePerSecond: z.int().nullable().describe("credentials a second, as last measured"),
  rateLimit: z.int().nullable(),
  secondsLeft: z.int().nullable().describe("at that rate"),
  failures: z.array(rotationFailure).describe("200 at most"),
  finalizedAt: z.iso.datetime().nullable(),
  finalization: finalizationView.nullable().describe("the latest one that was asked for"),
  error: operationError,
  requestedBy: z.string(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
export type RotationView = z.output<typeof rotationView>;

/** What a rotation that rests says of itself. */
export const pausedSentence = (at: Date): string =>
  `Paused since ${at.toISOString().slice(0, 16).replace("T", " ")} UTC: both versions stay readable.`;

/** A rotation as lists tell it. */
export const rotationSummary = rotationView.pick({
  id: true,
  state: true,
  paused: true,
  progress: true,
  finalizedAt: true,
  finalization: true,
  error: true,
  requestedBy: true,
  createdAt: true,
  endedAt: true,
});
export type RotationSummary = z.output<typeof rotationSummary>;

/** What still stands under versions that a rotation left behind. */
export const keysInUse = z.strictObject({
  credentials: z.int(),
  held: z.int(),
  results: z.int(),
  outcomes: z.int(),
  backups: z.int(),
});
export type KeysInUse = z.output<typeof keysInUse>;

export const accountKeyView = z.strictObject({
  accountId: z.string(),
  version: z.int().describe("of its transit key, as its last rotation left it"),
  rotatedAt: z.iso.datetime().nullable(),
  credentials: z.int(),
  below: z.int().describe("credentials under an older version"),
});
export type AccountKeyView = z.output<typeof accountKeyView>;
