import * as z from "zod";
import { fleetKind } from "../fleet/object.ts";
import { gitCommit } from "./repository.ts";

/** What a commit would change in the fleet, for people to decide on. */
export const RISK_CLASSES = ["changes", "deletes"] as const;
export const riskClass = z.enum(RISK_CLASSES).describe("changes make and change objects; deletes delete them");
export type RiskClass = z.output<typeof riskClass>;

/** `stale` is told, not kept: an open proposal whose objects moved since it was made. */
export const PROPOSAL_STATES = ["open", "stale", "applied", "rejected", "superseded"] as const;
export const proposalState = z.enum(PROPOSAL_STATES);
export type ProposalState = z.output<typeof proposalState>;

export const ITEM_ACTIONS = ["create", "update", "adopt", "delete"] as const;
export type ItemAction = (typeof ITEM_ACTIONS)[number];

/** A field that differs, as words: absent means that it is not there. */
export const fieldChange = z.strictObject({
  field: z.string(),
  before: z.string().optional(),
  after: z.string().optional(),
});

/** A field of an object that moved: as it was when proposed, as it is live, as the commit wants it. */
export const threeWay = z.strictObject({
  field: z.string(),
  base: z.string().nullable(),
  live: z.string().nullable(),
  desired: z.string().nullable(),
});

export const movedObject = z.strictObject({
  kind: fleetKind,
  name: z.string(),
  words: z.string().describe("what happened, in a sentence"),
  baseVersion: z.int().nullable(),
  liveVersion: z.int().nullable(),
  changedBy: z.string().nullable().describe("id of the principal that changed it last; null where it is gone"),
  changedAt: z.iso.datetime().nullable(),
  fields: z.array(threeWay),
});
export type MovedObject = z.output<typeof movedObject>;

export const proposalItem = z.strictObject({
  action: z.enum(ITEM_ACTIONS),
  kind: fleetKind,
  name: z.string(),
  words: z.string().describe("what would happen, in a sentence"),
  declaredAt: z.string().nullable().describe("file:line in the commit; null for what it does not declare any more"),
  baseVersion: z
    .int()
    .nullable()
    .describe("version of the live object that this was worked out on; null: there was none"),
  appliedVersion: z.int().nullable().describe("version that applying it made"),
  changes: z.array(fieldChange),
});
export type ProposalItem = z.output<typeof proposalItem>;

export const proposalSummary = z.strictObject({
  id: z.string(),
  repository: z.string(),
  riskClass,
  state: proposalState,
  words: z.string().describe("what it would do, in a sentence"),
  commit: gitCommit,
  runId: z.string().describe("the sync that made it"),
  items: z.int().describe("objects that it touches"),
  digest: z.string().describe("SHA-256 of everything in it, hexadecimal: what an approval is bound to"),
  createdAt: z.iso.datetime(),
  closedAt: z.iso.datetime().nullable(),
  closedBy: z.string().nullable().describe("id of the principal that applied or rejected it"),
  reason: z.string().nullable(),
  forced: z.boolean().describe("applied over objects that had moved"),
});
export type ProposalSummary = z.output<typeof proposalSummary>;

export const appliedObject = z.strictObject({
  change: z.enum(["created", "updated", "unchanged", "deleted"]),
  kind: fleetKind,
  name: z.string(),
  version: z.int().describe("after it; of a deleted object, the last one"),
});
