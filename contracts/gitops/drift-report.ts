import * as z from "zod";
import { fleetKind } from "../fleet/object.ts";
import { fieldChange } from "./proposal.ts";
import { gitCommit } from "./repository.ts";

/** How three states of the fleet differ: what the head declares, what of it was applied, what is live. */
export const driftedObject = z.strictObject({
  kind: fleetKind,
  name: z.string(),
  words: z.string().describe("in a sentence: what differs, and who did it"),
  pending: z.array(fieldChange).describe("what the head declares and was not applied: applied -> desired"),
  drifted: z.array(fieldChange).describe("what was changed past Git: applied -> live"),
  isPending: z.boolean(),
  isDrifted: z.boolean(),
  liveVersion: z.int().nullable().describe("null: there is no such object"),
  changedBy: z
    .strictObject({ id: z.string(), name: z.string() })
    .nullable()
    .describe("the principal behind the last change, where the object drifted"),
  changedAt: z.iso.datetime().nullable(),
  receiptId: z.string().nullable().describe("of the call that changed it, for system_journal_get_receipt"),
});
export type DriftedObject = z.output<typeof driftedObject>;

export const driftReport = z.strictObject({
  repository: z.string(),
  head: gitCommit.nullable(),
  syncedAt: z.iso.datetime().nullable(),
  inSync: z.boolean().describe("nothing is pending and nothing drifted"),
  counts: z.strictObject({ objects: z.int(), inSync: z.int(), pending: z.int(), drifted: z.int() }),
  objects: z.array(driftedObject).describe("those that differ, by kind, then name"),
  next: z.string().optional().describe("send it as `cursor` for the next page"),
});
export type DriftReport = z.output<typeof driftReport>;
