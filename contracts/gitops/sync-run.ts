import * as z from "zod";
import { progress } from "../operations/progress.ts";
import { appliedObject, proposalState, riskClass } from "./proposal.ts";
import { gitCommit } from "./repository.ts";

/** One sync: what was fetched and read, and what it led to. */
export const SYNC_STATUSES = ["pending", "success", "partial", "failed"] as const;
export const syncStatus = z
  .enum(SYNC_STATUSES)
  .describe("partial: read whole, but some objects cannot be proposed; problems says which and why");

/** Something that keeps an object, or the whole, from being proposed. */
export const syncProblem = z.strictObject({
  file: z.string().nullable(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  path: z.string().describe("in the file, or the object as Kind/name"),
  code: z.string(),
  message: z.string(),
});
export type SyncProblem = z.output<typeof syncProblem>;

export const syncCounts = z.strictObject({
  declared: z.int(),
  unchanged: z.int(),
  create: z.int(),
  update: z.int(),
  adopt: z.int().describe("objects that belonged to nobody, and would to this repository"),
  delete: z.int(),
  refused: z.int(),
});
export type SyncCounts = z.output<typeof syncCounts>;

export const syncRunView = z.strictObject({
  id: z.string(),
  repository: z.string(),
  status: syncStatus,
  progress,
  requestedBy: z.string().describe("id of the principal that asked for it"),
  commit: gitCommit.nullable(),
  previousCommit: z.string().nullable(),
  counts: syncCounts.nullable(),
  proposals: z.array(z.strictObject({ id: z.string(), riskClass, state: proposalState, items: z.int() })),
  applied: z
    .array(appliedObject.extend({ proposalId: z.string() }))
    .describe("what came of its proposals, 200 at most; the proposals have them all"),
  problems: z.array(syncProblem),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  durationMs: z.int().nullable(),
});
export type SyncRunView = z.output<typeof syncRunView>;
